// JupyterLab's own settings, and: a colour is a variable of JupyterLab's: of its theme, or of the palette that is the
// same in every theme.
const NAME = '^([a-z][A-z\\d]*)(-[A-z\\d]+)*$';

export default {
  extends: ['stylelint-config-standard'],
  rules: {
    'color-named': 'never',
    'color-no-hex': true,
    'declaration-property-value-disallowed-list': { '/.+/': ['/var\\(--(?!jp-|md-)/'] },
    'function-disallowed-list': [
      'color',
      'color-mix',
      'hsl',
      'hsla',
      'hwb',
      'lab',
      'lch',
      'oklab',
      'oklch',
      'rgb',
      'rgba'
    ],
    'no-descending-specificity': null,
    'property-no-vendor-prefix': null,
    'selector-class-pattern': NAME,
    'selector-no-vendor-prefix': null,
    'value-no-vendor-prefix': null
  }
};
