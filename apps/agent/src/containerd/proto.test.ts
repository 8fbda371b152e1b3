import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolsForTests } from '@slipway/infra';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { allMessageTypes } from './proto.ts';

/** Ours → containerd's, where one name had to tell several of theirs apart. */
const THEIRS: Record<string, string> = {
  Runtime: 'containerd.services.containers.v1.Container.Runtime',
  ContainerResponse: 'containerd.services.containers.v1.GetContainerResponse',
  GetTaskRequest: 'containerd.services.tasks.v1.GetRequest',
  GetTaskResponse: 'containerd.services.tasks.v1.GetResponse',
  DeleteTaskResponse: 'containerd.services.tasks.v1.DeleteResponse',
  Process: 'containerd.v1.types.Process',
  SnapshotRequest: 'containerd.services.snapshots.v1.RemoveSnapshotRequest',
  SnapshotInfo: 'containerd.services.snapshots.v1.Info',
  ImageResponse: 'containerd.services.images.v1.GetImageResponse',
  CreateLeaseRequest: 'containerd.services.leases.v1.CreateRequest',
  LeaseResponse: 'containerd.services.leases.v1.CreateResponse',
  DeleteLeaseRequest: 'containerd.services.leases.v1.DeleteRequest',
  Envelope: 'containerd.services.events.v1.Envelope',
  RuncOptions: 'containerd.runc.v1.Options',
};
/** Google's, which every protobuf library has. */
const WELL_KNOWN = ['Empty', 'Any', 'Timestamp', 'FieldMask'];

async function containerdsOwn(): Promise<protobuf.Root> {
  const tools = await toolsForTests(['containerdProtos']);
  const folder = tools.fileOf('containerdProtos').replace(/\/api\/.*/, '');
  const root = new protobuf.Root();
  for (const below of ['api', 'runtime/v2/runc/options']) {
    for (const name of readdirSync(join(folder, below), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.proto') || name.includes('ttrpc')) continue;
      const text = readFileSync(join(folder, below, name), 'utf8');
      protobuf.parse(text, root, { keepCase: true });
    }
  }
  return root;
}

/** `3 rootfs Mount repeated` for each field. */
function fieldsOf(type: protobuf.Type): string[] {
  return type.fieldsArray.map((field) => {
    const kind = field instanceof protobuf.MapField ? 'map' : field.repeated ? 'repeated' : 'one';
    const scalar = /^[a-z]/.test(field.type) && !field.type.includes('.') ? field.type : 'message';
    return `${field.id} ${field.name} ${scalar} ${kind}`;
  });
}

test('each field has the number, name and kind that containerd gives it', async () => {
  const theirs = await containerdsOwn();
  const types = allMessageTypes().filter(({ name }) => !WELL_KNOWN.includes(name));
  expect(types.length).toBeGreaterThan(30);
  for (const type of types) {
    const own = theirs.lookupType(THEIRS[type.name] ?? type.name);
    expect(fieldsOf(own), type.name).toEqual(expect.arrayContaining(fieldsOf(type)));
  }
});
