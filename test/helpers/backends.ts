// Hosts that keep their rules in each of the ways that there are: in nf_tables, and by both variants of iptables.
import type { ExecutionContext } from 'ava';
import { createHost, type Host } from './host.ts';
import { chooseVariant, type Variant, variants } from './iptables.ts';
import { testOn } from './requirements.ts';

/** Declares a test for each of the ways, on a host of its own; those that the machine has not are skipped by name. */
export function testOnBackends(
	title: string,
	body: (t: ExecutionContext, host: Host) => void | Promise<void>,
	iptables = variants,
): void {
	testOn([], `nftables: ${title}`, (t) => body(t, createHost(t)));
	for (const variant of iptables) {
		testOn(`iptables-${variant}`, `iptables-${variant}: ${title}`, (t) => body(t, hostWithIptables(t, variant)));
	}
}

/** Makes a host whose rules are kept by a variant of iptables. */
export function hostWithIptables(t: ExecutionContext, variant: Variant): Host {
	const host = { ...createHost(t), natBackend: 'iptables' };
	chooseVariant(t, host, variant);
	return host;
}

const programs = ['iptables', 'ip6tables'];

/** All rules of a host, without how often they were met. */
export function allRules(host: Host): string {
	if (host.natBackend === undefined) return host.must(['/usr/sbin/nft', 'list', 'ruleset']);
	const saved = programs.map((program) => host.must([`${program}-save`]));
	return saved.join('').replaceAll(/^#.*\n|\[\d+:\d+\]/gmu, '');
}

/** Removes our rules from a host, as somebody does who flushes everything. */
export function removeRules(host: Host): void {
	if (host.natBackend === undefined) host.must(['/usr/sbin/nft', 'delete', 'table', 'inet', 'mesos_overlay']);
	else for (const program of programs) flush(host, program);
}

function flush(host: Host, program: string): void {
	if (!host.must([`${program}-save`]).includes('MESOS-OVERLAY')) return;
	for (const table of ['nat', 'mangle']) {
		for (const option of ['-F', '-X']) host.must([program, '-t', table, option]);
	}
}
