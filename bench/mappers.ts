// What is compared in the group `nat`: our one call, and the chain of reference plugins that does the same.

import type { Competitor } from './competitor.ts';
import { ourProgram, referenceProgram } from './programs.ts';

export interface Mapper extends Competitor {
	/** The word by which its files are known. */
	readonly name: string;
	/** The plugins in the order of an ADD. */
	readonly plugins: readonly Plugin[];
}

interface Plugin {
	/** The path of the executable. */
	readonly program: string;
	/** Its part of a network configuration. */
	readonly configuration: (attachment: AttachmentDetails) => Record<string, unknown>;
}

export interface AttachmentDetails {
	readonly portMappings: readonly PortMapping[];
	/** For what the plugins of a host keep. */
	readonly directory: string;
}

/** An entry of `runtimeConfig.portMappings`, CNI CONVENTIONS. */
export interface PortMapping {
	readonly hostPort: number;
	readonly containerPort: number;
	readonly protocol: 'tcp';
}

/** The half of this subnet has 125 addresses for containers. */
const SUBNET = '9.0.1';

/** What the plugins that make the bridge have in common. */
const BRIDGE = { bridge: 'bench', isGateway: true, hairpinMode: true, mtu: 1420, ipMasq: true };

/** Ours, then the reference with each of its backends. Throws a BuildError when one is missing. */
export async function findMappers(): Promise<readonly Mapper[]> {
	const { path, version } = ourProgram('mesos-overlay');
	const ours: Mapper = {
		title: 'mesos-overlay',
		version,
		role: 'ours',
		name: 'ours',
		plugins: [
			{
				program: path,
				configuration: ({ portMappings, directory }) => ({
					...BRIDGE,
					type: 'mesos-overlay',
					runtimeConfig: { portMappings },
					natDir: `${directory}/nat`,
					ipam: {
						type: 'mesos-overlay-ipam',
						prefix: 24,
						agentSubnet: `${SUBNET}.0/24`,
						dataDir: `${directory}/leases`,
					},
				}),
			},
		],
	};
	return [ours, await referenceChain('iptables'), await referenceChain('nftables')];
}

/** The plugin firewall has no nftables backend: it is the same in both. */
async function referenceChain(backend: 'iptables' | 'nftables'): Promise<Mapper> {
	const [bridge, portmap, firewall] = await Promise.all(['bridge', 'portmap', 'firewall'].map(referenceProgram));
	return {
		title: `bridge + portmap + firewall, ${backend}`,
		version: bridge?.version ?? '',
		role: 'reference',
		name: backend,
		plugins: [
			{
				program: bridge?.path ?? '',
				configuration: ({ directory }) => ({
					...BRIDGE,
					type: 'bridge',
					ipMasqBackend: backend,
					ipam: {
						type: 'host-local',
						ranges: [[{ subnet: `${SUBNET}.0/25` }]],
						routes: [{ dst: '0.0.0.0/0' }],
						dataDir: `${directory}/leases`,
					},
				}),
			},
			{
				program: portmap?.path ?? '',
				configuration: ({ portMappings }) => ({ type: 'portmap', backend, runtimeConfig: { portMappings } }),
			},
			{ program: firewall?.path ?? '', configuration: () => ({ type: 'firewall', backend: 'iptables' }) },
		],
	};
}
