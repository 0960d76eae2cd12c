namespace KestrelAcme.Configuration;

/// <summary>A type of DNS provider that <c>DnsProviders[].Type</c> may name, and the keys of its own that it takes.</summary>
/// <param name="Name">The name, compared without regard to case.</param>
/// <param name="Keys">The keys.</param>
public sealed record DnsProviderType(string Name, IReadOnlyList<DnsProviderKey> Keys);
