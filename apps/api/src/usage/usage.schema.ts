import { z } from 'zod';

/** Of one answer. */
export const MOST_INTERVALS = 1_000;

const time = z.iso.datetime({ offset: true }).optional();

/** What the period is that an answer is about; whole hours. */
export const PeriodQuery = z
  .strictObject({
    from: time.describe(
      'Of the whole hour that it is in; the begin of this month (UTC) when left out',
    ),
    to: time.describe('To the end of the hour that it is in; now when left out'),
  })
  .meta({ examples: [{ from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' }] });

export const INTERVALS = ['hour', 'day'] as const;
export type Interval = (typeof INTERVALS)[number];

export const IntervalQuery = PeriodQuery.extend({
  interval: z.enum(INTERVALS).default('day').describe('How finely: by hours, or by days (UTC)'),
});

const Amounts = z.object({
  cpuSeconds: z.number().describe('CPU time: two CPUs that are busy for a second are 2'),
  memoryByteSeconds: z.number().describe('A GiB that is had for a second is 2 to the power of 30'),
  storedByteSeconds: z
    .number()
    .describe('Of images: a GiB in the registry for a second is 2 to the power of 30'),
  servedBytes: z.number().describe('Of what services answered'),
});
export type Amounts = z.infer<typeof Amounts>;

const period = { from: z.iso.datetime(), to: z.iso.datetime(), total: Amounts };

export const OrganizationUsage = z
  .object({
    ...period,
    projects: z
      .array(z.object({ project: z.string().describe('Its slug'), ...Amounts.shape }))
      .describe('Those that used something'),
  })
  .meta({ id: 'OrganizationUsage' });

export const ProjectUsage = z
  .object({
    ...period,
    intervals: z
      .array(z.object({ from: z.iso.datetime(), ...Amounts.shape }))
      .describe('Those in which something was used, the oldest first'),
  })
  .meta({ id: 'ProjectUsage' });

export interface Period {
  from: Date;
  to: Date;
}
