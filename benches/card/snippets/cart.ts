import { z } from "zod";
import type { Money } from "./money";

const Line = z.object({
  sku: z.string().regex(/^[A-Z]{3}-\d{4}$/),
  count: z.number().int().positive(),
  cents: z.number().int().nonnegative(),
});
export type Line = z.infer<typeof Line>;

export async function total(lines: unknown[], rate = 0.19): Promise<Money> {
  const parsed = lines.map((line) => Line.parse(line));
  const net = parsed.reduce((sum, { count, cents }) => sum + count * cents, 0);
  // Rounded once, at the end: a cent lost on every line adds up.
  return { net, tax: Math.round(net * rate), currency: "EUR" };
}

export class Cart<T extends Line = Line> {
  #lines = new Map<string, T>();

  add(line: T): this {
    const before = this.#lines.get(line.sku);
    this.#lines.set(line.sku, { ...line, count: line.count + (before?.count ?? 0) });
    return this;
