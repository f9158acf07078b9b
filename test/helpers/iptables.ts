// Both variants of iptables, each as the one that a host has.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Namespace } from './namespace.ts';

export type Variant = 'nft' | 'legacy';
export const variants: readonly Variant[] = ['nft', 'legacy'];

/** Makes a directory whose iptables, with all that belongs to it, is of a variant. */
export function linkVariant(t: ExecutionContext, variant: Variant): string {
	const directory = mkdtempSync(join(tmpdir(), `mesos-overlay-${variant}-`));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	linkInto(directory, variant);
	return directory;
}

/**
 * Has a host's programs find a variant in the usual places, without the machine's own choice being touched: `ip netns
 * exec` puts what is in /etc/netns/<name> over what is in /etc, where Debian has the choice.
 */
export function chooseVariant(t: ExecutionContext, host: Namespace, variant: Variant): void {
	const directory = `/etc/netns/${host.name}`;
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	mkdirSync(`${directory}/alternatives`, { recursive: true });
	linkInto(`${directory}/alternatives`, variant);
}

function linkInto(directory: string, variant: Variant): void {
	for (const family of ['iptables', 'ip6tables']) {
		for (const ending of ['', '-save', '-restore']) {
			symlinkSync(`/usr/sbin/xtables-${variant}-multi`, join(directory, family + ending));
		}
	}
}
