// The keys of the network configuration that are about the bridge and its ports; docs/configuration.md lists them.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Fields, readBoolean, readFieldsList, readInteger, readString, refuse, valueOf } from '../cni/fields.ts';
import { hasSpaceOr } from '../cni/parts.ts';
import { quoted } from '../cni/quoted.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';
import type { Request } from '../cni/request.ts';
import { readAgentFile, readAgentFilePath } from '../ipam/agent-file.ts';
import { isRouted } from '../ipam/routed.ts';
import { asksAgent } from '../ipam/sets.ts';
import { type Limits, readLimits } from '../shaping/limits.ts';
import { type NatConfiguration, readNatConfiguration } from '../nat/configuration.ts';
import { OUR_IPAM } from './address-manager.ts';
import { gatewayInterfaceName } from './names.ts';

const DEFAULT_MTU = 1420;
/** The smallest that IPv4 can work with (RFC 791) and the largest that a veth takes. */
const SMALLEST_MTU = 68;
const LARGEST_MTU = 65535;
/** RFC 8200 §5 */
export const SMALLEST_IPV6_MTU = 1280;

const LONGEST_DEVICE_NAME = 15;
const LARGEST_VLAN = 4094;

const FROM_CNI_ARGS = 'MAC in CNI_ARGS';

/** VLANs that a port carries with their tags, both ends included. */
export interface VlanRange {
	readonly first: number;
	readonly last: number;
}

export interface BridgeConfiguration {
	readonly network: string;
	readonly bridge: string;
	readonly mtu: number;
	/** Whether the bridge has the gateway address, and the host forwards. */
	readonly isGateway: boolean;
	readonly isDefaultGateway: boolean;
	/** Whether a wrong address of the bridge is replaced rather than an error. */
	readonly forceAddress: boolean;
	readonly hairpinMode: boolean;
	readonly promiscMode: boolean;
	readonly portIsolation: boolean;
	/** Whether IPv6 addresses wait for duplicate address detection. */
	readonly enabledad: boolean;
	readonly disableContainerInterface: boolean;
	/** 0: none. */
	readonly vlan: number;
	readonly vlanTrunk: readonly VlanRange[];
	readonly preserveDefaultVlan: boolean;
	readonly nat: NatConfiguration;
	/** The MAC that was asked for, lower case; undefined: computed. */
	readonly mac: string | undefined;
	readonly bandwidth: Limits | undefined;
}

/**
 * Reads and checks them all. Throws CniError 7 for a wrong value and for keys that exclude each other, 2 for what is
 * asked for and does not work yet.
 */
export function readBridgeConfiguration(request: Request): BridgeConfiguration {
	const { configuration } = request;
	const { fields } = configuration;

	const isDefaultGateway = readBoolean(fields, 'isDefaultGateway') ?? false;
	const promiscMode = readBoolean(fields, 'promiscMode') ?? false;
	const hairpinMode = readBoolean(fields, 'hairpinMode') ?? !promiscMode;
	if (promiscMode && hairpinMode) {
		throw invalid(
			'reading promiscMode: true excludes hairpinMode true, since packets would come back twice; leave one out',
		);
	}
	const disableContainerInterface = readBoolean(fields, 'disableContainerInterface') ?? false;
	if (disableContainerInterface && configuration.ipamType !== '') {
		throw invalid(
			'reading disableContainerInterface: true excludes ipam, since an interface that is down has no use for addresses',
		);
	}
	const bridge = readBridgeName(configuration);
	const isGateway = isDefaultGateway || (readBoolean(fields, 'isGateway') ?? true);
	const portIsolation = readBoolean(fields, 'portIsolation') ?? false;
	if (portIsolation && configuration.ipamType === OUR_IPAM && isRouted(configuration.ipam)) {
		throw invalid(
			'reading portIsolation: true excludes ipam.addressing "routed", by which the host leads packets from port to port; use isolation "container"',
		);
	}
	const vlan = readInteger(fields, 'vlan', 0, LARGEST_VLAN) ?? 0;
	if (vlan !== 0 && isGateway && configuration.ipamType !== '') refuseLongGatewayName(bridge, vlan);
	return {
		network: configuration.name,
		bridge,
		mtu: readMtu(configuration),
		isGateway,
		isDefaultGateway,
		forceAddress: readBoolean(fields, 'forceAddress') ?? false,
		hairpinMode,
		promiscMode,
		portIsolation,
		enabledad: readBoolean(fields, 'enabledad') ?? false,
		disableContainerInterface,
		vlan,
		vlanTrunk: readFieldsList(fields, 'vlanTrunk')?.flatMap(readVlanRanges) ?? [],
		preserveDefaultVlan: readBoolean(fields, 'preserveDefaultVlan') ?? false,
		nat: readNatConfiguration(configuration),
		mac: readMac(request),
		bandwidth: readLimits(configuration),
	};
}

/** The name of the bridge: `m-` and the network's name unless configured. */
export function bridgeNameOf({ name, fields }: NetworkConfiguration): string {
	return readString(fields, 'bridge') ?? `m-${name}`;
}

/** Whether a device can have this name, dev_valid_name in net/core/dev.c. */
export function isDeviceName(name: string): boolean {
	const fits = new TextEncoder().encode(name).length <= LONGEST_DEVICE_NAME;
	return fits && !hasSpaceOr('/:%', name) && name !== '.' && name !== '..';
}

function readBridgeName(configuration: NetworkConfiguration): string {
	const bridge = bridgeNameOf(configuration);
	if (isDeviceName(bridge)) return bridge;
	const rule = `a device name has at most ${LONGEST_DEVICE_NAME} bytes, no "/", ":", "%" or white space`;
	throw invalid(
		readString(configuration.fields, 'bridge') === undefined
			? `naming the bridge of network ${quoted(configuration.name)}: ${rule}, got ${quoted(bridge)}; set bridge, or give the network a name of at most 13`
			: `reading bridge: ${rule}, got ${quoted(bridge)}`,
	);
}

function refuseLongGatewayName(bridge: string, vlan: number): void {
	const name = gatewayInterfaceName(bridge, vlan);
	if (isDeviceName(name)) return;
	throw invalid(
		`naming the gateway interface "${name}": a device name has at most ${LONGEST_DEVICE_NAME} bytes; choose a shorter bridge`,
	);
}

function readMtu(configuration: NetworkConfiguration): number {
	const { fields } = configuration;
	const mtu = valueOf(fields, 'mtu') ?? 0;
	if (mtu === 0) return mtuOfAgent(configuration) ?? DEFAULT_MTU;
	if (typeof mtu === 'number' && Number.isInteger(mtu) && mtu >= SMALLEST_MTU && mtu <= LARGEST_MTU) return mtu;
	const expected = `a whole number from ${SMALLEST_MTU} to ${LARGEST_MTU}, or 0 for the default`;
	return refuse(fields, 'mtu', expected, mtu) ?? DEFAULT_MTU;
}

/** What the agent daemon says, when it is asked for the subnet, too. */
function mtuOfAgent(network: NetworkConfiguration): number | undefined {
	const { name, ipam, ipamType } = network;
	if (ipamType !== OUR_IPAM || ipam === undefined || !asksAgent(network, ipam)) return undefined;
	return readAgentFile(readAgentFilePath(ipam))?.get(name)?.mtu;
}

/** A range by `minID` and `maxID`, a single VLAN by `id`, or both in one entry, as the reference bridge has it. */
function readVlanRanges(entry: Fields): VlanRange[] {
	const first = readInteger(entry, 'minID', 1, LARGEST_VLAN);
	const last = readInteger(entry, 'maxID', 1, LARGEST_VLAN);
	const single = readInteger(entry, 'id', 1, LARGEST_VLAN);
	if ((first === undefined) !== (last === undefined)) {
		throw invalid(`reading ${entry.path}${first === undefined ? 'minID' : 'maxID'}: minID and maxID come together`);
	}
	const ranges = single === undefined ? [] : [{ first: single, last: single }];
	if (first === undefined || last === undefined) return ranges;
	if (last < first) throw invalid(`reading ${entry.path}maxID: expected ${first} or more, got ${last}`);
	return [...ranges, { first, last }];
}

/** From what is said in four places, the last wins: `mac`, CNI_ARGS, `args.cni.mac`, `runtimeConfig.mac`. */
function readMac({ configuration, cniArguments }: Request): string | undefined {
	const { fields, args, runtimeConfig } = configuration;
	const said: [string, string | undefined][] = [
		['runtimeConfig.mac', runtimeConfig && readString(runtimeConfig, 'mac')],
		['args.cni.mac', args && readString(args, 'mac')],
		[FROM_CNI_ARGS, cniArguments.get('MAC')],
		['mac', readString(fields, 'mac')],
	];
	for (const [source, mac] of said) if (mac) return checkMac(source, mac);
	return undefined;
}

function checkMac(source: string, mac: string): string {
	const unicast = /^[0-9a-f][02468ace]([:-][0-9a-f]{2}){5}$/i.test(mac) && !/^00([:-]00){5}$/.test(mac);
	if (unicast) return mac.toLowerCase().replaceAll('-', ':');
	throw new CniError(
		source === FROM_CNI_ARGS ? CniErrorCode.invalidEnvironment : CniErrorCode.invalidConfiguration,
		`reading ${source}: expected a unicast MAC address such as 02:64:09:00:01:02, got ${quoted(mac)}`,
	);
}

function invalid(message: string): CniError {
	return new CniError(CniErrorCode.invalidConfiguration, message);
}
