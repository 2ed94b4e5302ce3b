import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { Widget } from '@lumino/widgets';

const WIDGET = 'application/vnd.jupyter.widget-view+json';
const HTML = 'text/html';

interface IOutput {
  readonly data: Readonly<Record<string, unknown>>;
}

/** What shows an output; the widgets' own is a panel, empty for as long as it has no widget to show. */
interface IRenderer extends Widget {
  readonly widgets?: readonly Widget[];
  renderModel(output: IOutput): Promise<void>;
}

interface IRenderers {
  createRenderer(mimeType: string): IRenderer;
}

/**
 * A widget's output as the plain HTML that was saved beside it, until the widget is there. In a later session it never
 * is: its kernel has ended, and what was its state with it.
 */
function withSaved(renderer: IRenderer, renderers: IRenderers): IRenderer {
  const render = renderer.renderModel.bind(renderer);
  let saved: IRenderer | null = null;
  const forget = (): void => {
    saved?.dispose();
    saved = null;
  };
  renderer.renderModel = async output => {
    forget();
    const rendered = render(output);
    if (output.data[HTML] === undefined) {
      return rendered;
    }
    const plain = (saved = renderers.createRenderer(HTML));
    const show = (): void => {
      if (saved === plain && !renderer.isDisposed && !renderer.isHidden && !renderer.widgets?.length) {
        renderer.node.replaceChildren(plain.node);
      }
    };
    await plain.renderModel(output);
    show(); // which kernel there is may not be known yet, or there is none
    await rendered;
    show(); // instead of the words that the widget is not there
    if (renderer.widgets?.length && saved === plain) {
      forget();
    }
  };
  renderer.disposed.connect(forget);
  return renderer;
}

export const widgetFallbackPlugin: JupyterFrontEndPlugin<void> = {
  id: 'fabric-lab:saved',
  description: 'Shows the HTML that was saved with a widget where the widget is not there any more.',
  autoStart: true,
  activate: (app: JupyterFrontEnd): void => {
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: panel => {
        // the widgets' extension sets its renderer of a notebook anew, sooner or later than this: so whatever is made
        const renderers = (panel as unknown as { readonly content: { readonly rendermime: IRenderers } }).content
          .rendermime;
        const create = renderers.createRenderer.bind(renderers);
        renderers.createRenderer = mimeType =>
          mimeType === WIDGET ? withSaved(create(mimeType), { createRenderer: create }) : create(mimeType);
      }
    });
  }
};
