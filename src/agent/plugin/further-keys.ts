// What an operator adds to the network configurations that the agent writes, such as isolation.

import { readFileSync } from 'node:fs';
import { readBridgeConfiguration } from '../../bridge/configuration.ts';
import { fieldsOf } from '../../cni/fields.ts';
import { readNetworkConfiguration } from '../../cni/network-configuration.ts';
import { quoted } from '../../cni/quoted.ts';
import { readIpamConfiguration } from '../../ipam/configuration.ts';
import { messageOf } from '../../ipam/lease-error.ts';
import { type NetworkOptions, OptionError } from '../agent-options.ts';

/** Keys of a network configuration; those of `ipam` are under it. */
export type Keys = Readonly<Record<string, unknown>>;

/** By the name of the network; those of {@link EVERY_NETWORK} are for all of them. */
export type FurtherKeys = Readonly<Record<string, Keys>>;

const EVERY_NETWORK = '*';

/** Neither what the agent says itself, nor what is about a single container. */
const ALLOWED = {
	network:
		'bandwidth dns enabledad excludeDevices hairpinMode ipam ipMasq isolation macspoofchk policy portIsolation promiscMode ' +
		'spoofCheck timeout',
	ipam: 'quarantine reserved resolvConf routes sticky',
} as const;

/** With these, the plugin reads a configuration without agent.json. */
const ANY_SUBNET = { agentSubnet: '9.0.0.0/26', overlay: '9.0.0.0/8', prefix: 26 };

/** What is added to the configuration of a network: its own keys come before those of all networks. */
export function keysFor(further: FurtherKeys | undefined, network: string): Keys & { readonly ipam: Keys } {
	const [all, own] = [further?.[EVERY_NETWORK] ?? {}, further?.[network] ?? {}];
	return { ...all, ...own, ipam: { ...(all['ipam'] as Keys | undefined), ...(own['ipam'] as Keys | undefined) } };
}

/** Reads a file of them. Throws OptionError for what the plugin would refuse, and for keys that nobody can add. */
export function readFurtherKeys(path: string, { addressing }: Pick<NetworkOptions, 'addressing'>): FurtherKeys {
	let name = '';
	try {
		const further = objectOf(JSON.parse(readFileSync(path, 'utf8'))) as FurtherKeys;
		for (name of Object.keys(further)) {
			assertAllowed(objectOf(further[name]), 'network');
			assertAllowed(objectOf(further[name]?.['ipam'] ?? {}), 'ipam');
			assertReadable(keysFor(further, name), addressing);
		}
		return further;
	} catch (error) {
		const where = name === '' ? '' : ` of network ${quoted(name)}`;
		throw new OptionError(`reading --network-options "${path}"${where}: ${messageOf(error)}`);
	}
}

function objectOf(value: unknown): Keys {
	if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Keys;
	throw new OptionError(`expected an object, got ${quoted(value)}`);
}

function assertAllowed(keys: Keys, where: keyof typeof ALLOWED): void {
	const allowed = ALLOWED[where].split(' ');
	const wrong = Object.keys(keys).find((key) => !allowed.includes(key));
	if (wrong !== undefined) throw new OptionError(`${quoted(wrong)} is none of ${allowed.join(', ')}`);
}

/** Has the plugin read it as it would for an ADD. Throws CniError. */
function assertReadable(keys: ReturnType<typeof keysFor>, addressing: string): void {
	const ipam = { ...keys.ipam, ...ANY_SUBNET, type: 'mesos-overlay-ipam', addressing };
	const decoded = { ...keys, name: 'any', type: 'mesos-overlay', ipam };
	const configuration = readNetworkConfiguration(decoded, fieldsOf(decoded, ''), 'ADD');
	const nobody = { containerId: '', ifname: '', netns: '', path: [], cniArguments: new Map(), environment: {} };
	readBridgeConfiguration({ ...nobody, command: 'ADD', configuration, deadline: Infinity });
	readIpamConfiguration(configuration);
}
