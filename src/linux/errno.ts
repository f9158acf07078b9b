// The errors of system calls by name, as node:fs names them.

/** From number 1 on; `?` is a number that Linux does not use. include/uapi/asm-generic/errno-base.h, errno.h */
const NAMES = (
	'EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK ' +
	'EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE ' +
	'EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ? ENOMSG EIDRM ' +
	'ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC ' +
	'EBADSLT ? EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO ' +
	'EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ' +
	'ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT ' +
	'EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ' +
	'ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ' +
	'ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ' +
	'ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED ' +
	'EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON'
).split(' ');

/** The name of an error number, `EEXIST` for 17; `errno 4095` when Linux has no name for it. */
export function errnoName(errno: number): string {
	const name = NAMES[errno - 1];
	return name === undefined || name === '?' ? `errno ${errno}` : name;
}

/** A system call that failed. `operation` says what was tried, `code` is the name of the error. */
export class SystemCallError extends Error {
	override readonly name = 'SystemCallError';
	readonly code: string;
	readonly errno: number;
	/** The CNI error code that this becomes when nobody knows better: the kernel refused. */
	readonly cniCode = 100;

	constructor(operation: string, errno: number) {
		const code = errnoName(errno);
		super(`${operation}: ${code}`);
		this.code = code;
		this.errno = errno;
	}
}

/** The code of an error of node:fs or of a system call, `ENOENT`; undefined for any other. */
export function systemCode(error: unknown): string | undefined {
	return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
