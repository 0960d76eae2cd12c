using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>An account that may be the reason for an answer.</summary>
/// <param name="Account">The account.</param>
/// <param name="Answer">The answer.</param>
/// <param name="OpenedAt">When the attempt began: what was found out since need not be found out again.</param>
/// <param name="MayRegister">Whether another one may be registered in its place, which each attempt does once.</param>
internal sealed record AccountSuspicion(IAuthorityAccount Account, AcmeException Answer, DateTimeOffset OpenedAt, bool MayRegister);
