// What JupyterLab asks of an extension, with types: run from the directory above (`npm run lint:check`).
import jupyter from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import hooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import ts from 'typescript-eslint';

export default defineConfig(
  { ignores: ['lib/', 'dist/', 'fabric_lab/', '**/node_modules/'] },
  jupyter.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}', 'dev/tests/**/*.ts'],
    extends: [ts.configs.recommendedTypeChecked, hooks.configs.flat.recommended, prettier],
    languageOptions: {
      parserOptions: { project: ['tsconfig.json', 'dev/tsconfig.json'], tsconfigRootDir: `${import.meta.dirname}/..` }
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'interface', format: ['PascalCase'], custom: { regex: '^I[A-Z]', match: true } }
      ],
      // a signal is connected with its object: jupyter/require-signal-this-arg
      '@typescript-eslint/unbound-method': 'off',
      // one file: what is loaded later cannot be had from a server that is gone, and that is when it is needed
      'jupyter/prefer-lazy-imports': 'off',
      curly: 'error',
      eqeqeq: 'error',
      'prefer-arrow-callback': 'error'
    }
  },
  { files: ['dev/tests/**'], rules: { 'jupyter/no-untranslated-string': 'off' } },
  // written by scripts/make_schema.py, with the names that the service has
  { files: ['src/schema.ts'], rules: { '@typescript-eslint/naming-convention': 'off' } }
);
