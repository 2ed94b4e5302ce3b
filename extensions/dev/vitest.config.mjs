import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    setupFiles: ['dev/tests/setup.ts'],
    // on a crowded machine
    testTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    include: ['dev/tests/**/*.test.ts'],
    // JupyterLab's packages are modules that import each other's directories and style sheets: for a bundler
    server: { deps: { inline: [/@jupyterlab/, /@jupyter\//] } }
  }
});
