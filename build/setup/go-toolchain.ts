// A Go toolchain for machines that have none or an old one (Debian's own), from the Go module proxy.

import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setGlobalProxyFromEnv } from 'node:http';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { cacheDirectory } from '../project.ts';
import { BuildError, run } from '../run.ts';
import { installDebianPackages } from './debian.ts';

const VERSION = 'go1.26.8';

/** As `https://sum.golang.org/lookup/golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64` gives them. */
const SUMS: Partial<Record<NodeJS.Architecture, { readonly platform: string; readonly sum: string }>> = {
	x64: { platform: 'linux-amd64', sum: 'h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=' },
	arm64: { platform: 'linux-arm64', sum: 'h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc=' },
};

/** Returns the path of `go` in build/cache/go, downloaded when it is not there. Throws a BuildError when it cannot. */
export async function goToolchain(): Promise<string> {
	const directory = `${cacheDirectory}/go/${VERSION}`;
	const go = `${directory}/bin/go`;
	if (existsSync(go)) return go;

	const { platform, sum } = SUMS[process.arch] ?? {};
	if (platform === undefined) {
		throw new BuildError(`getting Go for ${process.arch}: no checksum known; install Go 1.24.2 or newer yourself`);
	}
	installDebianPackages([{ file: 'unzip', debianPackage: 'unzip' }]);
	mkdirSync(`${cacheDirectory}/go`, { recursive: true });
	const temporary = mkdtempSync(`${cacheDirectory}/go/unpacking-`);
	try {
		const module = `golang.org/toolchain@v0.0.1-${VERSION}.${platform}`;
		console.log(`downloading ${module}`);
		await download(`/golang.org/toolchain/@v/v0.0.1-${VERSION}.${platform}.zip`, `${temporary}/module.zip`);
		run('unzip', ['-q', `${temporary}/module.zip`, '-d', temporary]);
		rmSync(`${temporary}/module.zip`);
		const actual = directorySum(temporary);
		if (actual !== sum) throw new BuildError(`checking ${module}: expected the checksum "${sum}", got "${actual}"`);
		makeExecutable(`${temporary}/${module}`);
		renameSync(`${temporary}/${module}`, directory);
	} finally {
		rmSync(temporary, { recursive: true, force: true });
	}
	return go;
}

/** Tries the proxies of GOPROXY one after the other. */
async function download(path: string, file: string): Promise<void> {
	setGlobalProxyFromEnv();
	setDefaultCACertificates([...getCACertificates('default'), ...getCACertificates('system')]);
	const proxies = (process.env.GOPROXY ?? 'https://proxy.golang.org')
		.split(/[,|]/)
		.filter((proxy) => /^https?:/.test(proxy));
	const failures: string[] = [];
	for (const proxy of proxies) {
		const url = `${proxy.replace(/\/$/, '')}${path}`;
		try {
			const response = await fetch(url);
			if (!response.ok) throw new Error(`HTTP status ${response.status}`);
			await writeFile(file, response.body ?? '');
			return;
		} catch (error) {
			failures.push(`downloading ${url}: ${describe(error)}`);
		}
	}
	const remedy = 'install Go 1.24.2 or newer, or set GOPROXY to a proxy that can be reached';
	throw new BuildError(`${failures.join('\n') || 'downloading Go: GOPROXY names no proxy'}; ${remedy}`);
}

function describe(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** The hash that Go's checksum database keeps: `Hash1` of golang.org/x/mod/sumdb/dirhash. */
function directorySum(directory: string): string {
	const files = readdirSync(directory, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => `${entry.parentPath}/${entry.name}`)
		.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
	const list = files.map((file) => `${sha256('hex', readFileSync(file))}  ${file.slice(directory.length + 1)}\n`);
	return `h1:${sha256('base64', list.join(''))}`;
}

function sha256(encoding: 'hex' | 'base64', data: string | Buffer): string {
	return createHash('sha256').update(data).digest(encoding);
}

/** Modules carry no permissions. */
function makeExecutable(toolchain: string): void {
	for (const directory of ['bin', 'pkg/tool']) {
		for (const entry of readdirSync(`${toolchain}/${directory}`, { recursive: true, withFileTypes: true })) {
			if (entry.isFile()) chmodSync(`${entry.parentPath}/${entry.name}`, 0o755);
		}
	}
}
