import { createServer } from 'node:http';
import { hostname } from 'node:os';

const greeting = process.env.GREETING ?? 'Hello';
const port = Number(process.env.PORT ?? 8080);
let count = 0;

const server = createServer((request, response) => {
  if (request.url === '/healthz') {
    response.end('ok\n');
    return;
  }
  count += 1;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(`${greeting} from ${hostname()}, Node.js ${process.version}: request ${count}.\n`);
});

server.listen(port, () => console.log(`listening on port ${port}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
