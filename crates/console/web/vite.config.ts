import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The server behind the development server: `just console` sets it. */
const server = process.env.NYXCORE_SERVER ?? "http://127.0.0.1:4600";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    // Every file of the bundle has a hash in its name and lies below this folder: the server lets them be cached forever.
    assetsDir: "console",
    // Images in style sheets stay files: the content security policy allows no `data:` fonts and scripts.
    assetsInlineLimit: 0,
    target: "es2023",
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/graphql": { target: server, ws: true },
      "/auth": { target: server },
      "/api": { target: server },
    },
  },
  test: { include: ["src/**/*.test.ts", "src/**/*.test.tsx"], environment: "jsdom" },
});
