import { clustersPlugin } from './clusters/plugin';
import { widgetFallbackPlugin } from './common/widgetFallback';
import { datasetsPlugin } from './datasets/plugin';
import { homePlugin } from './session/home';
import { sessionPlugin, usagePlugin } from './session/plugin';

export default [sessionPlugin, widgetFallbackPlugin, datasetsPlugin, clustersPlugin, usagePlugin, homePlugin];
