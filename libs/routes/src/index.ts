export { RoutePublisher, type Served } from './route-publisher.ts';
export { RouteTable } from './route-table.ts';
