// The network configuration on stdin: the keys that every plugin must know.

import { readDns } from './dns.ts';
import { isIdentifier } from './environment.ts';
import { CniError, CniErrorCode } from './errors.ts';
import { type Fields, fieldsOf, readFields, readFieldsList, readInteger, readString, refuse } from './fields.ts';
import { mesosNetworkInfo } from './mesos.ts';
import { quoted, shortened } from './quoted.ts';
import type { Attachment, Command } from './request.ts';
import { type Dns, type Result, decodeResult } from './result.ts';
import {
	type Version,
	compareVersions,
	isSupported,
	newestVersion,
	resultShape,
	supportedVersions,
} from './versions.ts';

/** CNI SPEC 1.1 §1 "Plugin configuration objects". */
export interface NetworkConfiguration {
	readonly cniVersion: Version;
	readonly name: string;
	readonly type: string;
	/** Every top-level key. */
	readonly fields: Fields;
	/** The configuration as decoded, for a delegate. */
	readonly decoded: Readonly<Record<string, unknown>>;
	/** Empty when the network has no addresses. */
	readonly ipamType: string;
	readonly ipam: Fields | undefined;
	readonly runtimeConfig: Fields | undefined;
	/** `args.cni`. */
	readonly args: Fields | undefined;
	/** `args["org.apache.mesos"].network_info`; without members when only the parent is there. Undefined: not called by Mesos. */
	readonly mesos: Fields | undefined;
	/** Undefined when no key of it is set. */
	readonly dns: Dns | undefined;
	readonly prevResult: Result | undefined;
	/** What GC must keep; undefined for other commands, and when the caller did not say. */
	readonly validAttachments: readonly Attachment[] | undefined;
}

/** The oldest version that has the command; CNI SPEC 0.4.0 and 1.1.0 brought the newer ones. */
const SINCE: Partial<Readonly<Record<Command, Version>>> = { CHECK: '0.4.0', GC: '1.1.0', STATUS: '1.1.0' };

/** Milliseconds. */
export const DEFAULT_TIMEOUT = 30_000;
/** Seconds. */
const LONGEST_TIMEOUT = 600;

/**
 * The version in which to answer, for errors too: the configuration's own when it is supported, else the newest.
 * Never throws.
 */
export function answerVersion(fields: Fields): Version {
	const version = fields.entries.get('cniversion') ?? '';
	if (version === '') return '0.1.0';
	return typeof version === 'string' && isSupported(version) ? version : newestVersion;
}

/**
 * The configuration `decoded`, of which `fields` are the top-level keys. Throws CniError 1 for a version that is not
 * supported or does not have the command, 6 for one that is no string, 7 for a missing or bad name and for wrong values.
 * Lenient fields (a DEL) leave only the name to fail.
 */
export function readNetworkConfiguration(
	decoded: Readonly<Record<string, unknown>>,
	fields: Fields,
	command: Command,
): NetworkConfiguration {
	const name = readName(fields);
	const cniVersion = fields.lenient ? answerVersion(fields) : readVersion(fields, command);
	const ipam = readFields(fields, 'ipam');
	const args = readFields(fields, 'args');
	const dns = readFields(fields, 'dns');
	return {
		cniVersion,
		name,
		type: readString(fields, 'type') ?? '',
		fields,
		decoded,
		ipamType: (ipam && readString(ipam, 'type')) ?? '',
		ipam,
		runtimeConfig: readFields(fields, 'runtimeConfig'),
		args: args && readFields(args, 'cni'),
		mesos: mesosNetworkInfo(args),
		dns: dns && orUndefined(readDns(dns)),
		prevResult: readPrevResult(fields, cniVersion),
		validAttachments: command === 'GC' ? readValidAttachments(fields) : undefined,
	};
}

/** How long the whole call may take, from the key `timeout`: milliseconds. */
export function readTimeout(fields: Fields): number {
	const seconds = readInteger(fields, 'timeout', 1, LONGEST_TIMEOUT);
	return seconds === undefined ? DEFAULT_TIMEOUT : seconds * 1000;
}

function readName(fields: Fields): string {
	const name = readString(fields, 'name');
	if (name === undefined) throw new CniError(CniErrorCode.invalidConfiguration, 'missing network name');
	if (!isIdentifier(name)) {
		throw new CniError(CniErrorCode.invalidConfiguration, 'invalid characters found in network name', {
			details: shortened(name),
		});
	}
	return name;
}

function readVersion(fields: Fields, command: Command): Version {
	const stated = fields.entries.get('cniversion') ?? '';
	if (typeof stated !== 'string') {
		throw new CniError(
			CniErrorCode.decodingFailure,
			`reading cniVersion: expected a string, got ${quoted(stated)}`,
		);
	}
	const version = answerVersion(fields);
	if (stated !== '' && stated !== version) {
		throw new CniError(CniErrorCode.incompatibleVersion, 'incompatible CNI versions', {
			details: `config is ${quoted(stated)}, plugin supports [${supportedVersions.map((each) => quoted(each)).join(' ')}]`,
		});
	}
	const since = SINCE[command];
	if (since !== undefined && compareVersions(version, since) < 0) {
		throw new CniError(CniErrorCode.incompatibleVersion, `config version does not allow ${command}`, {
			details: `config is "${version}", ${command} needs "${since}" or later`,
		});
	}
	return version;
}

function readPrevResult(fields: Fields, version: Version): Result | undefined {
	const value = fields.entries.get('prevresult');
	if (value === undefined) return undefined;
	try {
		const stated = readString(fieldsOf(value, 'prevResult.'), 'cniVersion') ?? version;
		if (isSupported(stated) && resultShape(stated) !== resultShape(version)) {
			throw new CniError(
				CniErrorCode.incompatibleVersion,
				`reading prevResult.cniVersion: a result of ${stated} does not fit the configuration's version ${version}`,
			);
		}
		return decodeResult(value, version, 'prevResult.');
	} catch (error) {
		if (fields.lenient) return undefined;
		throw error;
	}
}

function readValidAttachments(fields: Fields): Attachment[] | undefined {
	// The second key is an old misprint of the specification, which libcni writes beside the first.
	const list = readFieldsList(fields, 'cni.dev/valid-attachments') ?? readFieldsList(fields, 'cni.dev/attachments');
	return list?.map((entry) => ({
		containerId: readRequired(entry, 'containerID'),
		ifname: readRequired(entry, 'ifname'),
	}));
}

function readRequired(fields: Fields, key: string): string {
	return readString(fields, key) ?? refuse(fields, key, 'a string', undefined) ?? '';
}

function orUndefined(dns: Dns): Dns | undefined {
	return Object.keys(dns).length > 0 ? dns : undefined;
}
