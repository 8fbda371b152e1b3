import { Inject, Injectable } from '@nestjs/common';
import type { AppError } from '@slipway/contracts';
import { parseImageReference } from '@slipway/oci';
import type { Caller } from '../access/caller.ts';
import { LIBRARY, type ProjectScope, ScopeStore } from '../access/scope.store.ts';
import { invalid } from '../http/validate.ts';
import { ImageStore } from './image.store.ts';

export interface ResolvedImage {
  /** as the registry knows it: `<organization>/<project>/<name>`, `library/<name>` */
  repository: string;
  digest: string;
}

/** Says which image a name means: one of the project, else a base image, else one of a project of the same organization. */
@Injectable()
export class ImageResolver {
  constructor(
    @Inject(ScopeStore) private readonly scopes: ScopeStore,
    @Inject(ImageStore) private readonly images: ImageStore,
  ) {}

  /** @param path the field that it stands in. @throws AppError `invalid-request` */
  async resolve(
    { caller, scope }: { caller: Caller; scope: ProjectScope },
    text: string,
    path: string,
  ): Promise<ResolvedImage> {
    const refuse = (message: string): AppError => invalid(path, message);
    const wanted = parseImageReference(text);
    if (wanted === null) throw refuse(`"${text}" is not an image's name, such as web:v1`);
    if (wanted.registry !== null) {
      throw refuse('leave out the registry: images come from this platform’s own');
    }
    const { repository, reference } = wanted;
    for (const [place, name] of await this.#placesOf(caller, scope, repository)) {
      const found = await this.images.repository(place, name);
      const manifest = found === null ? null : await this.images.manifest(found, reference);
      if (manifest !== null) {
        return { repository: `${place.path}/${name}`, digest: manifest.digest };
      }
    }
    throw refuse(`there is no image ${repository} with ${reference} in this project's registry`);
  }

  async #placesOf(
    caller: Caller,
    own: ProjectScope,
    repository: string,
  ): Promise<[ProjectScope, string][]> {
    const [first = '', second = '', ...rest] = repository.split('/');
    const places: [ProjectScope, string][] = [[own, repository]];
    const isShort = second === '';
    if (isShort || (first === LIBRARY && rest.length === 0)) {
      const library = await this.scopes.library();
      places.push([library, isShort ? first : second]);
    }
    if (rest.length > 0) {
      const project = { organization: first, project: second };
      const named = await this.scopes.project(caller, project);
      if (named?.organizationId === own.organizationId) places.push([named, rest.join('/')]);
    }
    return places;
  }
}
