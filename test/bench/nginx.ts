import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toolsForTests } from '@slipway/infra';
import { exec } from '@slipway/process';
import { freeAddress, type Peer, startPeer } from './peer.ts';

/** In one process, as our edge is. */
const configuration = (folder: string, log: string, http: string): string => `daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr;
events { worker_connections 1024; }
http {
  access_log ${log};
  keepalive_requests 1000000;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `  ${of}_temp_path ${folder}/${of};`).join('\n')}
${http}
}
`;

/** Debian's nginx with its files in `folder`, which forwards everything to `upstream` as our edge does. */
export async function startNginx(folder: string, upstream: string): Promise<Peer> {
  const tools = await toolsForTests(['nginx']);
  const address = await freeAddress();
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'nginx.conf');
  const http = `  upstream service { server ${upstream}; keepalive 128; keepalive_requests 1000000; }
  server {
    listen ${address} backlog=1024;
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
    }
  }`;
  await writeFile(file, configuration(folder, `${folder}/access.log`, http));
  return startPeer({
    ...{ name: 'nginx', folder, address, path: '/' },
    ...{ file: tools.fileOf('nginx'), args: ['-c', file] },
  });
}

export const PORT = 8080;

/** An image that answers `/` at once with the address it answers from; nothing that serves is faster than it is. */
export async function nginxImage(): Promise<Record<string, string | Buffer>> {
  const program = (await toolsForTests(['nginx'])).fileOf('nginx');
  const { stdout } = await exec('ldd', [program]);
  const libraries = stdout.match(/\/\S+/g) ?? [];
  const http = `  server {
    listen ${PORT} backlog=1024;
    location / { default_type text/plain; return 200 $server_addr; }
  }`;
  const files: Record<string, string | Buffer> = {
    Dockerfile: `FROM busybox
COPY root /
COPY nginx nginx.conf /nginx/
RUN chmod -R 755 /nginx${libraries.map((library) => ` ${library}`).join('')}
CMD ["/nginx/nginx", "-c", "/nginx/nginx.conf", "-e", "stderr"]`,
    nginx: await readFile(program),
    'nginx.conf': configuration('/nginx', 'off', http),
  };
  for (const library of libraries) files[`root${library}`] = await readFile(library);
  return files;
}
