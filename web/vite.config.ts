import { lingui } from "@lingui/vite-plugin";
import react from "@vitejs/plugin-react";
import { VitePWA } from "vite-plugin-pwa";
import { defineConfig } from "vitest/config";
import { shippedLocalesOnly } from "./tooling/shipped-locales.ts";

const server = process.env.BOOKBAG_SERVER ?? "http://127.0.0.1:8400";
const proxied = ["/identity", "/messaging", "/notify", "/dev", "/healthz", "/readyz", "/openapi.json"];

export default defineConfig({
  plugins: [
    react(),
    lingui({ macroTransform: true }),
    shippedLocalesOnly(),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src",
      filename: "sw.ts",
      injectRegister: null,
      manifest: {
        id: "/",
        name: "Bookbag",
        short_name: "Bookbag",
        description: "Messages between school and home, in your language.",
        start_url: "/",
        scope: "/",
        display: "standalone",
        background_color: "#FBF8F3",
        theme_color: "#FBF8F3",
        icons: [
          { src: "/icons/satchel-192.png", sizes: "192x192", type: "image/png", purpose: "any" },
          { src: "/icons/satchel-512.png", sizes: "512x512", type: "image/png", purpose: "any" },
          { src: "/icons/satchel-maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
          { src: "/icons/satchel.svg", sizes: "any", type: "image/svg+xml", purpose: "any" },
        ],
      },
      injectManifest: {
        // The shell and the Latin letters; the larger scripts are kept when a reader first needs them (src/sw.ts).
        globPatterns: ["index.html", "assets/*.{js,css}", "assets/atkinson-*.woff2", "icons/*.svg"],
        buildPlugins: { vite: [] },
      },
    }),
  ],
  build: {
    target: "es2022",
    manifest: true,
    // A data: URI would break `font-src 'self'`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: Object.fromEntries(proxied.map((path) => [path, { target: server, changeOrigin: false }])) },
  test: { environment: "node", include: ["tests/**/*.test.{ts,tsx}"], testTimeout: 10_000 },
});
