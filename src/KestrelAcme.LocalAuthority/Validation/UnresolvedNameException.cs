namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>A name without an address to validate it at.</summary>
internal sealed class UnresolvedNameException(string name)
    : Exception($"The local authority has no address for '{name}': map it with Resolve(\"{name}\", endpoint). It asks no DNS server.");
