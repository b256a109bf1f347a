import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type HtmlTagDescriptor, type Plugin } from "vite";

/** The server behind the development server: `just console` sets it. */
const server = process.env.NYXCORE_SERVER ?? "http://127.0.0.1:4600";

/** Writes a compressed copy beside each text file of the bundle: the server compresses nothing by itself. */
function compressed(): Plugin {
  let folder = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved: (config) => {
      folder = config.build.outDir;
    },
    closeBundle: () => {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|css|svg)$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const content = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
      }
    },
  };
}

/**
 * Has the page ask for what its script imports later (`app/app.tsx`) at once: otherwise the browser would learn of it
 * only when the script has arrived and runs.
 */
function preloaded(): Plugin {
  return {
    name: "preloaded",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (html, { bundle = {} }) => {
        const files = new Set<string>();
        const add = (name: string): void => {
          const chunk = bundle[name];
          if (files.has(name) || chunk?.type !== "chunk") return;
          files.add(name);
          chunk.imports.forEach(add);
        };
        for (const chunk of Object.values(bundle)) {
          if (chunk.type === "chunk" && chunk.facadeModuleId?.endsWith("/app/app.tsx")) add(chunk.fileName);
        }
        return [...files]
          .filter((name) => !html.includes(`"/${name}"`))
          .map((name): HtmlTagDescriptor => {
            const attrs = { rel: "modulepreload", href: `/${name}` };
            return { tag: "link", attrs, injectTo: "head" };
          });
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed(), preloaded()],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    // Every file of the bundle has a hash in its name and lies below this folder: the server lets them be cached
    // forever.
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
});
