// Certificates of a test's own, made by openssl.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOrThrow } from './command.ts';

/** The paths of its files. */
export interface Certificate {
	readonly certificate: string;
	readonly key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes an authority. */
export function createAuthority(directory: string, name: string): Certificate {
	const [certificate, key] = [join(directory, `${name}.pem`), join(directory, `${name}.key`)];
	runOrThrow(['openssl', 'req', '-x509', ...KEY, '-keyout', key, '-out', certificate, '-subj', `/CN=${name}`]);
	return { certificate, key };
}

/** Has an authority issue a certificate with a subjectAltName. It is valid for two days, or was until yesterday. */
export function issue(
	directory: string,
	authority: Certificate,
	name: string,
	{ names = '', isExpired = false }: { readonly names?: string; readonly isExpired?: boolean } = {},
): Certificate {
	const path = (suffix: string) => join(directory, `${name}.${suffix}`);
	const [certificate, key, request, extensions] = ['pem', 'key', 'csr', 'ext'].map(path) as [
		string,
		string,
		string,
		string,
	];
	writeFileSync(extensions, names === '' ? '' : `subjectAltName=${names}\n`);
	runOrThrow(['openssl', 'req', ...KEY, '-keyout', key, '-out', request, '-subj', `/CN=${name}`]);
	const by = ['-CA', authority.certificate, '-CAkey', authority.key, '-CAcreateserial'];
	const days = ['-days', isExpired ? '-1' : '2'];
	runOrThrow([
		'openssl',
		'x509',
		'-req',
		'-in',
		request,
		...by,
		...days,
		'-extfile',
		extensions,
		'-out',
		certificate,
	]);
	return { certificate, key };
}
