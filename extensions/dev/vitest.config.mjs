import { defineConfig } from 'vitest/config';

// Vitest tells with it why a test failed; Node has it from 21 on
Map.groupBy ??= (items, keyOf) => {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
};

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
