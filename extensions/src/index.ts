import { clustersPlugin } from './clusters/plugin';
import { settingsPlugin } from './common/settings';
import { widgetFallbackPlugin } from './common/widgetFallback';
import { datasetsPlugin } from './datasets/plugin';
import { connectionPlugin } from './session/connection';
import { homePlugin } from './session/home';
import { sessionPlugin } from './session/plugin';
import { reportPlugin } from './session/report';
import { startPlugin } from './start/plugin';

export default [
  settingsPlugin,
  sessionPlugin,
  connectionPlugin,
  widgetFallbackPlugin,
  datasetsPlugin,
  clustersPlugin,
  homePlugin,
  startPlugin,
  reportPlugin
];
