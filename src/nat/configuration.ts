// The keys of the network configuration that are about who reaches whom, and by which address and port.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Fields, readBoolean, readString, readStrings, refuse } from '../cni/fields.ts';
import { labelsOf } from '../cni/labels.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';
import { type PolicyRule, readPolicy } from './policy.ts';
import { type PortMapping, readPortMappings } from './port-mappings.ts';

/**
 * Who reaches a container: `none`, everybody; `network`, only who is in the same network, on any host; `container`,
 * nobody but its host. Published ports are open to everybody.
 */
export const ISOLATIONS = ['none', 'network', 'container'] as const;
export type Isolation = (typeof ISOLATIONS)[number];

/** IFNAMSIZ without the zero, include/uapi/linux/if.h */
const LONGEST_DEVICE_NAME = 15;

export const BACKENDS = ['auto', 'nftables', 'iptables'] as const;
export type BackendChoice = (typeof BACKENDS)[number];
export type BackendName = Exclude<BackendChoice, 'auto'>;

export interface NatConfiguration {
	readonly backend: BackendChoice;
	/** Whether what leaves all networks goes by the host's address. */
	readonly ipMasq: boolean;
	readonly portMappings: readonly PortMapping[];
	/** Interfaces of the host on which the host ports do not exist. */
	readonly excludeDevices: readonly string[];
	readonly isolation: Isolation;
	readonly policy: readonly PolicyRule[] | undefined;
	/** `key=value`. */
	readonly labels: readonly string[];
	/** Whether the container may send with its own MAC only, */
	readonly macspoofchk: boolean;
	/** and with its own addresses only. */
	readonly spoofCheck: boolean;
}

/** Reads and checks them all. Throws CniError 7, naming key and value. */
export function readNatConfiguration(configuration: NetworkConfiguration): NatConfiguration {
	const { fields } = configuration;
	const policy = readPolicy(configuration);
	return {
		backend: readChoice(fields, 'natBackend', BACKENDS) ?? 'auto',
		ipMasq: readBoolean(fields, 'ipMasq') ?? false,
		portMappings: readPortMappings(configuration),
		excludeDevices: readDevices(fields),
		isolation: readChoice(fields, 'isolation', ISOLATIONS) ?? 'none',
		policy,
		labels: policy === undefined ? [] : labelsOf(configuration).map(({ key, value = '' }) => `${key}=${value}`),
		macspoofchk: readBoolean(fields, 'macspoofchk') ?? false,
		spoofCheck: readBoolean(fields, 'spoofCheck') ?? false,
	};
}

function readChoice<T extends string>(fields: Fields, key: string, choices: readonly T[]): T | undefined {
	const text = readString(fields, key);
	if (text === undefined) return undefined;
	const choice = choices.find((known) => known === text);
	return choice ?? refuse(fields, key, `one of ${choices.map((known) => `"${known}"`).join(', ')}`, text);
}

function readDevices(fields: Fields): string[] {
	const names = readStrings(fields, 'excludeDevices');
	if (names === undefined) return [];
	const wrong = names.find((name) => Buffer.byteLength(name) > LONGEST_DEVICE_NAME || /[/:\s]/.test(name));
	return wrong === undefined ? names : (refuse(fields, 'excludeDevices', 'names of network devices', wrong) ?? []);
}

/** Whether anything is asked for that takes rules. */
export function needsNat({
	ipMasq,
	portMappings,
	isolation,
	policy,
	macspoofchk,
	spoofCheck,
}: NatConfiguration): boolean {
	return (
		ipMasq || portMappings.length > 0 || isolation !== 'none' || policy !== undefined || macspoofchk || spoofCheck
	);
}

/** Refuses what would need an address of a family that the container has not. Throws CniError 7. */
export function assertMappable(mappings: readonly PortMapping[], addresses: readonly string[]): void {
	const hasFamily = { 4: addresses.some((ip) => !ip.includes(':')), 6: addresses.some((ip) => ip.includes(':')) };
	const lost = mappings.find(({ families }) => !families.some((family) => hasFamily[family]));
	if (lost === undefined) return;
	const wanted = lost.families.map((family) => `IPv${family}`).join(' or ');
	throw new CniError(
		CniErrorCode.invalidConfiguration,
		`mapping port ${lost.hostPort}/${lost.protocol} of the host${lost.hostIp === undefined ? '' : ` at ${lost.hostIp}`}: the container has no ${wanted} address`,
	);
}
