// The versions of the CNI specification that are spoken, and what sets them apart.

import { CniError, CniErrorCode } from './errors.ts';

export type Version = '0.1.0' | '0.2.0' | '0.3.0' | '0.3.1' | '0.4.0' | '1.0.0' | '1.1.0';

/** Oldest first. */
export const supportedVersions: readonly Version[] = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

export const newestVersion: Version = '1.1.0';

/**
 * How a result is written: `families` has one `ip4` and one `ip6` (to 0.2.0), `versioned-list` a list `ips` with the
 * family beside each address (0.3.0 to 0.4.0), `list` the same without it (from 1.0.0).
 */
export type ResultShape = 'families' | 'versioned-list' | 'list';

export function isSupported(version: string): version is Version {
	const supported: readonly string[] = supportedVersions;
	return supported.includes(version);
}

/** Below zero, zero or above zero, as `left` is older than, the same as or newer than `right`. */
export function compareVersions(left: Version, right: Version): number {
	return supportedVersions.indexOf(left) - supportedVersions.indexOf(right);
}

export function resultShape(version: Version): ResultShape {
	if (compareVersions(version, '0.3.0') < 0) return 'families';
	return compareVersions(version, '1.0.0') < 0 ? 'versioned-list' : 'list';
}

/**
 * Refuses addresses that a result of this version has no place for; call it before the work that a late refusal would
 * have to undo. Throws CniError 7 unless a version before 0.3.0 gets one address of each family at most, and one at all.
 */
export function assertVersionCarries(
	version: Version,
	addressesPerFamily: { readonly 4: number; readonly 6: number },
): void {
	if (resultShape(version) !== 'families') return;
	const remedy = { details: `config is "${version}"; "cniVersion" 0.3.0 or later has no such limit` };
	if (addressesPerFamily[4] + addressesPerFamily[6] === 0) {
		throw new CniError(CniErrorCode.invalidConfiguration, 'cannot convert: no valid IP addresses', remedy);
	}
	if (addressesPerFamily[4] > 1 || addressesPerFamily[6] > 1) {
		throw new CniError(
			CniErrorCode.invalidConfiguration,
			`cannot convert: CNI version ${version} does not support more than 1 address per family`,
			remedy,
		);
	}
}
