// A machine of a test's own: a network namespace that plays the host, its containers, its directories.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { createNamespace, type Namespace } from './namespace.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';

export interface Host extends Namespace {
	/** A directory of this host's own, gone when the test ends. */
	readonly directory: string;
	/** Where its leases go. */
	readonly dataDir: string;
	/** Where the records of its rules go. */
	readonly natDir: string;
	/** What keeps its rules, when it is not left to the kernel. */
	readonly natBackend?: string;
	/** A network name that no other host has. */
	readonly network: string;
	/** The bridge that the network gets by default. */
	readonly bridge: string;
	/** Makes a namespace for a container. */
	container(): Namespace;
	/** All that an attachment may leave behind, to compare before and after. */
	snapshot(): Snapshot;
}

/** Makes a host that goes, with everything on it, when the test ends. */
export function createHost(t: ExecutionContext): Host {
	const namespace = createNamespace(t, 'host');
	// a new namespace forwards IPv4 if the machine does
	namespace.must(['sh', '-c', 'ip link set lo up && echo 0 > /proc/sys/net/ipv4/ip_forward']);
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-'));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	const dataDir = join(directory, 'leases');
	const natDir = join(directory, 'nat');
	const network = `n${randomBytes(3).toString('hex')}`;
	return {
		...namespace,
		directory,
		dataDir,
		natDir,
		network,
		bridge: `m-${network}`,
		container: () => createNamespace(t, 'container'),
		snapshot: () => takeSnapshot(namespace, dataDir, natDir),
	};
}

/** Has packets between ports of a bridge pass the rules of IP, as on hosts with Docker or Kubernetes, or not. */
export function filterBridged(host: Namespace, value: 0 | 1): void {
	for (const family of ['iptables', 'ip6tables']) {
		host.must(['sh', '-c', `echo ${value} > /proc/sys/net/bridge/bridge-nf-call-${family}`]);
	}
}
