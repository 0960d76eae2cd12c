using KestrelAcme.Protocol.Directories;

namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>What an authority says about dns-persist-01 in its directory.</summary>
/// <param name="IssuerDomainNames">The names by which records know it (draft -02); empty where it does not say.</param>
/// <param name="AccountHashPrefix">What hashed account URIs begin with (draft -02).</param>
/// <param name="CaaIdentities">The names by which CAA records know it.</param>
internal sealed record PersistDirectory(
    IReadOnlyList<string> IssuerDomainNames, string? AccountHashPrefix, IReadOnlyList<string> CaaIdentities)
{
    public static PersistDirectory Of(AcmeDirectoryMeta meta) => new(meta.IssuerDomainNames, meta.AccountHashPrefix, meta.CaaIdentities);
}
