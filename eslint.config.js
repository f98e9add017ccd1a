// @ts-check
"use strict";
const tseslint = require("typescript-eslint");

/** What eslint is asked: rules that need types find mistakes; form is prettier's concern alone. */
module.exports = tseslint.config(
  { ignores: ["dist/", "node_modules/", ".lab/", "tools/plugins/**/proto/", "**/*.js"] },
  ...tseslint.configs.recommendedTypeChecked,
  { languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: __dirname } } },
  {
    files: ["**/*.ts"],
    rules: {
      // A name that begins with an underscore is there to be left out: of a spread, of a signature.
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true }],
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      // Cidr, and numbers in messages, print themselves.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allow: [{ from: "file", name: "Cidr" }] }],
      eqeqeq: ["error", "always"],
    },
  },
  {
    files: ["test/**/*.ts"],
    // node:test and mocha take a promise where the rule sees a floating one; doubles have methods that need not wait.
    rules: { "@typescript-eslint/require-await": "off" },
  },
);
