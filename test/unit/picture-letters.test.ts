import assert from "node:assert/strict";
import { fitted, type StyleName, widthOf } from "../../components/picture/measure";
import { palette } from "../../components/picture/palette";

describe("the letters of a picture", () => {
  it("are measured as wide as the widest font has them", () => {
    // In DejaVu Sans and DejaVu Sans Bold, by a browser.
    const measured: readonly [text: string, style: StyleName, pixels: number][] = [
      ["4789/udp · overlay-data", "says", 144.6],
      ["from 203.0.113.0/24 and 1 more", "says", 196.4],
      ["from 203.0.113.0/24 and 1 more", "small", 200.4],
      ["WireGuard: ChaCha20-Poly1305", "title", 252.4],
      ['Swarm cluster "prod"', "heading", 229.9],
      ["edge-hetzner-57", "tiny", 82.6],
    ];
    for (const [text, style, pixels] of measured) {
      const width = widthOf(text, style);
      assert.ok(width >= pixels && width < pixels * 1.1, `"${text}" is ${pixels} wide, not ${width}`);
    }
  });

  it("are cut by whole signs, and only where there is no room", () => {
    assert.equal(fitted("short", "says", 200), "short");
    assert.match(fitted("🐳".repeat(30), "says", 100), /^🐳+…$/u);
    assert.ok(widthOf(fitted("w".repeat(300), "title", 123), "title") <= 123);
  });

  it("stand out from whatever they lie on, in light and in dark", () => {
    const light = (hex: string): number => {
      const [red = 0, green = 0, blue = 0] = [1, 3, 5]
        .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    for (const [scheme, { paper, text, quiet, boxes }] of Object.entries(palette)) {
      const grounds = { paper, ...Object.fromEntries(Object.entries(boxes).map(([name, [fill]]) => [name, fill])) };
      for (const [name, ground] of Object.entries(grounds)) {
        const onIt = ["paper", "band", "site"].includes(name) ? [text, quiet] : [text];
        for (const colour of onIt) {
          const [dark = 0, bright = 0] = [light(colour), light(ground)].sort((a, b) => a - b);
          assert.ok((bright + 0.05) / (dark + 0.05) >= 4.5, `${colour} on ${name} in ${scheme}`);
        }
      }
    }
  });
});
