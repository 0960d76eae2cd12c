namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>RFC 8555 section 7.1.2.1.</summary>
internal sealed record OrdersListResource(IReadOnlyList<string> Orders);
