import eslint from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** Of the gateway: each knows those before it only. */
const gatewayFolders = ['connection', 'rooms', 'users', 'files', 'http', 'server'];

export default tseslint.config(
  { ignores: ['**/node_modules/', '.parley/', '**/dist/'] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A number in a sentence needs no ceremony.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `Type.Object({})` and empty closers are meant.
      '@typescript-eslint/no-empty-function': 'off',
      // `!` after a check that the compiler can't follow is allowed where a reader can.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // Tests look into frames as they came, whose fields only the test at hand knows.
    files: ['**/*.test.ts', 'tools/test-kit/**', 'test/**/*.ts'],
    rules: Object.fromEntries(
      [
        'explicit-any',
        'unsafe-argument',
        'unsafe-assignment',
        'unsafe-call',
        'unsafe-member-access',
        'unsafe-return',
      ].map((rule) => [`@typescript-eslint/no-${rule}`, 'off']),
    ),
  },
  ...gatewayFolders.map((folder, index) => ({
    files: [`services/gateway/src/${folder}/**`],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: gatewayFolders.slice(index + 1).map((later) => `**/${later}/**`) },
      ],
    },
  })),
  { files: ['apps/web/src/**'], ...reactHooks.configs.flat.recommended },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: { AbortSignal: 'readonly', console: 'readonly', fetch: 'readonly', process: 'readonly' },
    },
  },
);
