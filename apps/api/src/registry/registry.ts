import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@slipway/log';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Call } from '../access/call.ts';
import { callOf, setCall } from '../access/caller.ts';
import { OpenRequests } from '../access/open-requests.ts';
import { LOGGER } from '../platform.module.ts';
import { BlobEndpoint } from './blob.endpoint.ts';
import { decoded, type Endpoint, endpointOf, isRead, operationOf } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import { ManifestEndpoint } from './manifest.endpoint.ts';
import { asOciError, OciError, sendOciError } from './oci-error.ts';
import { RegistryAccess } from './registry-access.ts';
import { NODES } from './registry-token.ts';
import { TokenEndpoint } from './token.endpoint.ts';
import { UploadEndpoint } from './upload.endpoint.ts';

/**
 * The image store, as container engines speak to it: `/v2` and `/token` on a listener of its own.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
 */
@Injectable()
export class Registry {
  constructor(
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(RegistryAccess) private readonly access: RegistryAccess,
    @Inject(BlobEndpoint) private readonly blob: BlobEndpoint,
    @Inject(UploadEndpoint) private readonly upload: UploadEndpoint,
    @Inject(ManifestEndpoint) private readonly manifest: ManifestEndpoint,
    @Inject(TokenEndpoint) private readonly token: TokenEndpoint,
    @Inject(OpenRequests) private readonly openRequests: OpenRequests,
  ) {}

  /** @param fastify without routes, leaving bodies in `request.raw` */
  serveOn(fastify: FastifyInstance): void {
    fastify.all('/*', (request, reply) => this.#serve(request, reply));
    fastify.setErrorHandler((error, request, reply) => this.#refuse(error, request, reply));
  }

  async #serve(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const endpoint = endpointOf(decoded(request.url));
    if (endpoint === null) throw new OciError('UNSUPPORTED', 'Nothing is here.', { status: 404 });
    reply.header('docker-distribution-api-version', 'registry/2.0');
    const caller = await this.access.callerOf(request.headers.authorization);
    if (caller === null) {
      throw new OciError('UNAUTHORIZED', 'Send an API key: as the password, with any user name.');
    }
    const isNode = caller.caller.credentialId === NODES;
    const call =
      isNode || !('name' in endpoint)
        ? null
        : new Call(operationOf(request.method, endpoint), caller.caller, request);
    if (call !== null) setCall(request, call);
    if (!isNode) this.openRequests.add(reply, caller.caller, null); // a key is of one organization only
    await this.#answer(endpoint, {
      ...{ request, reply, caller, call },
      query: new URLSearchParams(request.url.split(/\?(.*)/s)[1]),
    });
    return reply;
  }

  async #answer(endpoint: Endpoint, exchange: Exchange): Promise<void> {
    const { method } = exchange.request;
    switch (endpoint.kind) {
      case 'base':
        if (isRead(method)) return void exchange.reply.send({});
        break;
      case 'token':
        if (method === 'GET') return this.token.get(exchange);
        break;
      case 'blob':
        if (method === 'HEAD') return this.blob.head(exchange, endpoint);
        if (method === 'GET') return this.blob.get(exchange, endpoint);
        if (method === 'DELETE') return this.blob.delete(exchange, endpoint);
        break;
      case 'uploads':
        if (method === 'POST') return this.upload.open(exchange, endpoint);
        break;
      case 'upload':
        if (method === 'GET') return this.upload.status(exchange, endpoint);
        if (method === 'PATCH') return this.upload.append(exchange, endpoint);
        if (method === 'PUT') return this.upload.finish(exchange, endpoint);
        if (method === 'DELETE') return this.upload.cancel(exchange, endpoint);
        break;
      case 'manifest':
        if (method === 'HEAD') return this.manifest.head(exchange, endpoint);
        if (method === 'GET') return this.manifest.get(exchange, endpoint);
        if (method === 'PUT') return this.manifest.put(exchange, endpoint);
        if (method === 'DELETE') return this.manifest.delete(exchange, endpoint);
        break;
      case 'tags':
        if (method === 'GET') return this.manifest.tags(exchange, endpoint);
        break;
    }
    throw new OciError('UNSUPPORTED', `${method} is not for this path.`);
  }

  #refuse(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = asOciError(thrown);
    const call = callOf(request);
    if (call !== null) call.problem = error.code;
    if (error.status >= 500) {
      this.log.error({ err: thrown, url: request.url }, 'request failed');
    }
    if (reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    if (error.code === 'UNAUTHORIZED') reply.header('www-authenticate', challenge(request));
    sendOciError(error, request, reply);
  }
}

/** Where to get a token for what was asked. @see https://www.rfc-editor.org/rfc/rfc6750#section-3 */
function challenge(request: FastifyRequest): string {
  const host = /^[\w.:[\]-]+$/.test(request.host) ? request.host : 'localhost';
  const parts = [`realm="${request.protocol}://${host}/token"`, 'service="slipway"'];
  const endpoint = endpointOf(decoded(request.url));
  if (endpoint !== null && 'name' in endpoint) {
    const actions = isRead(request.method) && endpoint.kind !== 'upload' ? 'pull' : 'pull,push';
    parts.push(`scope="repository:${endpoint.name}:${actions}"`);
  }
  return `Bearer ${parts.join(',')}`;
}
