// @ts-check
const tseslint = require("typescript-eslint");

module.exports = tseslint.config(
  // Programs of readers are compiled by test/lint/reference.test.ts, against the sources.
  { ignores: ["dist/", "node_modules/", ".lab/", "examples/*/index.ts", "templates/"] },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // A Cidr is written as text on purpose; it has a toString of its own.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allow: [{ from: "file", name: "Cidr" }] }],
      // An interface may be asynchronous where one implementation of it need not wait.
      "@typescript-eslint/require-await": "off",
      // Mocha's describe and it return promises that mocha itself waits for.
      "@typescript-eslint/no-floating-promises": ["error", { allowForKnownSafeCalls: ["describe", "it"] }],
    },
  },
  {
    // Tests look into what is typed loosely: recorded requests, parsed JSON, keys read by a library.
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-base-to-string": "off",
      "@typescript-eslint/only-throw-error": "off",
    },
  },
);
