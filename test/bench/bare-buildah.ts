import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toolsForTests } from '@slipway/infra';
import { exec } from '@slipway/process';

const SCRIPT = `set -e
buildah() { command buildah --root "$1/root" --runroot "$1/run" --storage-driver overlay "\${@:2}"; }
buildah "$1" build --quiet --isolation oci --runtime runc --network none --layers --force-rm --format oci \\
  --signature-policy policy.json --authfile auth.json --iidfile "$1/id" "$2" > /dev/null
buildah "$1" push --quiet --signature-policy policy.json --authfile auth.json --tls-verify=false \\
  "$(cat "$1/id")" "docker://$3"`;

/** buildah as one calls it by hand, with its files in `folder`: into the same registry, of the same base images. */
export async function bareBuildah(
  folder: string,
  { registry, token }: Record<'registry' | 'token', string>,
) {
  const tools = await toolsForTests(['buildah', 'runc']);
  await mkdir(folder, { recursive: true });
  const file = (name: string, text: string) => writeFile(join(folder, name), text);
  const auth = Buffer.from(`bench:${token}`).toString('base64');
  await file('auth.json', JSON.stringify({ auths: { [registry]: { auth } } }));
  await file('policy.json', JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  await file(
    'registries.conf',
    `unqualified-search-registries = ["docker.io"]
short-name-mode = "disabled"
[[registry]]
prefix = "docker.io/library"
location = "${registry}/library"
insecure = true
`,
  );
  const env = {
    ...{ PATH: tools.path, HOME: folder, TMPDIR: folder },
    CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf'),
  };
  return {
    /** @param store one that is not there yet has nothing of an earlier build */
    async build(store: string, context: string, repository: string): Promise<void> {
      await mkdir(join(folder, store), { recursive: true });
      // what buildah mounts goes with it
      const inside = ['--mount', '--propagation', 'private', 'bash', '-c', SCRIPT, 'bash'];
      const given = [join(folder, store), context, `${registry}/${repository}`];
      await exec('unshare', [...inside, ...given], { env, cwd: folder });
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
