import { z } from 'zod';

/** Some fields of an object; null leaves one out, which gives it its default again. @see RFC 7396 */
export type MergePatch<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: MergePatch<NonNullable<T[K]>> | null | undefined }
    : T;

/** What a patch of such an object may say. */
export function mergePatchOf<S extends z.ZodObject>(schema: S): z.ZodType<MergePatch<z.input<S>>> {
  const fields = Object.entries(schema.shape).map(([name, field]): [string, z.ZodType] => {
    const { description } = field;
    const patch = patchOf(field).nullish();
    return [name, description === undefined ? patch : patch.describe(description)];
  });
  const patch: z.ZodType = z.strictObject(Object.fromEntries(fields));
  return patch as z.ZodType<MergePatch<z.input<S>>>;
}

/** `target` with the patch in it; neither is changed. @see RFC 7396, 2 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else if (value !== undefined) merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function patchOf(field: z.core.$ZodType): z.ZodType {
  if (
    field instanceof z.ZodOptional ||
    field instanceof z.ZodDefault ||
    field instanceof z.ZodPrefault
  ) {
    return patchOf(field.unwrap());
  }
  if (field instanceof z.ZodObject) return mergePatchOf(field);
  if (field instanceof z.ZodRecord) {
    return z.record(field.keyType, patchOf(field.valueType).nullable());
  }
  return field as z.ZodType;
}
