// The keys beside `dcos_overlay_network` in the original's config.yaml that concern the networks, too.

import { quoted } from '../cni/quoted.ts';
import type { WrittenConfiguration } from './configuration.ts';
import { overlaysOf, usesIpv6 } from './configuration-rules.ts';
import type { Unchecked } from './network-rules.ts';
import type { Problem } from './problem.ts';
import { findMtuMistake } from './vtep.ts';

/** The key of the networks themselves. */
export const NETWORKS_KEY = 'dcos_overlay_network';

/** The network that Marathon takes for who names none. */
const DEFAULT_NAME_KEY = 'dcos_overlay_network_default_name';

/**
 * All that the original has with this beginning. Of these, the default network for IPv6 is not looked at, as in the original, and
 * attempts are not counted here: an agent goes on trying.
 */
const BEGINNING = 'dcos_overlay_';
const KNOWN = [
	NETWORKS_KEY,
	'dcos_overlay_enable',
	'dcos_overlay_mtu',
	'dcos_overlay_config_attempts',
	DEFAULT_NAME_KEY,
	'dcos_overlay_network6_default_name',
];

/** The whole of such a file; the installer's own keys may be anything. Of ours, the values may be texts: `"1420"`, `"true"`. */
export type ConfigurationFile = Readonly<Record<string, unknown>>;

/** All that is wrong with these keys, and with networks that they contradict. */
export function findInstallerProblems(file: ConfigurationFile): Problem[] {
	const unknown = Object.keys(file).filter((key) => key.startsWith(BEGINNING) && !KNOWN.includes(key));
	return [
		...unknown.map((key) => ({
			path: [key],
			wrong: 'there is no such key',
			right: `those with this beginning are ${KNOWN.join(', ')}`,
			isKey: true,
		})),
		...findSwitchProblems(file),
		...findMtuProblems(file),
		...findIpv6Problems(file),
		...findDefaultNameProblems(file),
	];
}

/** As in the original; without the key nobody is asked, whatever the names of the networks. */
function findDefaultNameProblems(file: ConfigurationFile): Problem[] {
	const { [DEFAULT_NAME_KEY]: wanted } = file;
	const names = overlaysOf(networksOf(file), []).map(({ network }) => network.name);
	if (wanted === undefined || names.includes(wanted)) return [];
	const right = `write the name of one: ${names.filter((name) => typeof name === 'string').join(', ')}`;
	return [{ path: [DEFAULT_NAME_KEY], wrong: `${quoted(wanted)} is no network of this file`, right }];
}

function findSwitchProblems({
	dcos_overlay_enable: enable = true,
	enable_ipv6: ipv6 = true,
}: ConfigurationFile): Problem[] {
	const notBoolean = Object.entries({ dcos_overlay_enable: enable, enable_ipv6: ipv6 })
		.filter(([, value]) => readSwitch(value) === undefined)
		.map(([key, value]) => ({
			path: [key],
			wrong: `${quoted(value)} is not true or false`,
			right: `write ${key}: true`,
		}));
	if (readSwitch(enable) !== false) return notBoolean;
	const wrong = `${quoted(enable)} switches off all of the virtual networks`;
	return [...notBoolean, { path: ['dcos_overlay_enable'], wrong, right: 'write true, or start no master' }];
}

function findMtuProblems(file: ConfigurationFile): Problem[] {
	const { dcos_overlay_mtu: mtu } = file;
	if (mtu === undefined) return [];
	const path = ['dcos_overlay_mtu'];
	const bytes = readNumber(mtu);
	if (bytes === undefined)
		return [{ path, wrong: `${quoted(mtu)} is not a whole number`, right: 'write dcos_overlay_mtu: 1420' }];
	const mistake = findMtuMistake(bytes, usesIpv6(networksOf(file)));
	return mistake === undefined ? [] : [{ path, ...mistake }];
}

function findIpv6Problems(file: ConfigurationFile): Problem[] {
	if (readSwitch(file['enable_ipv6']) !== false) return [];
	return overlaysOf(networksOf(file), [NETWORKS_KEY])
		.filter(({ network }) => network.subnet !== undefined && network.subnet6 !== undefined)
		.map(({ path }) => ({
			path: [...path, 'subnet6'],
			wrong: 'IPv6 is switched off by enable_ipv6',
			right: 'leave subnet6 and prefix6 out, or write enable_ipv6: true',
		}));
}

function networksOf({ [NETWORKS_KEY]: networks }: ConfigurationFile): Unchecked<WrittenConfiguration> {
	return typeof networks === 'object' && networks !== null ? networks : {};
}

/**
 * The networks of a file in which there is no problem, with what its other keys make of them: `dcos_overlay_mtu` is the MTU if
 * `vtep_mtu` is not less, and without IPv6 the networks that have nothing else are disabled, as in the original.
 */
export function applyInstallerKeys(file: ConfigurationFile): WrittenConfiguration {
	const written = networksOf(file) as WrittenConfiguration;
	const mtus = [written.vtep_mtu, readNumber(file['dcos_overlay_mtu'])].filter((mtu) => mtu !== undefined);
	const overlays = written.overlays.map((network) =>
		readSwitch(file['enable_ipv6']) === false && network.subnet === undefined
			? { ...network, enabled: false }
			: network,
	);
	return { ...written, overlays, ...(mtus.length > 0 && { vtep_mtu: Math.min(...mtus) }) };
}

function readSwitch(value: unknown): boolean | undefined {
	if (value === true || value === 'true') return true;
	return value === false || value === 'false' ? false : undefined;
}

function readNumber(value: unknown): number | undefined {
	const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
	return typeof number === 'number' && Number.isInteger(number) ? number : undefined;
}
