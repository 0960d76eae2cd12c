using System.Net;
using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Configuration.Snapshot;

/// <summary>The configuration as everything else reads it: parsed, normalized, with defaults filled in, immutable. Two of them are equal when they say the same.</summary>
internal sealed record ConfigurationSnapshot
{
    /// <summary>What holds when nothing is to be done.</summary>
    public static ConfigurationSnapshot Disabled { get; } = new() { Enabled = false, StoragePath = "" };

    /// <summary>Whether anything is done at all.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>The certificates that should exist, one for each name or group and each key algorithm.</summary>
    public EquatableArray<CertificateSpecification> Certificates { get; init; } = [];

    /// <summary>The authorities, in the order in which they are tried. Empty when there is a <see cref="NoAuthorityReason"/>.</summary>
    public EquatableArray<AuthoritySpecification> Authorities { get; init; } = [];

    /// <summary>Why nothing can be ordered although nothing is wrong, and what to do; <see langword="null"/> when there is an authority.</summary>
    public string? NoAuthorityReason { get; init; }

    /// <summary>Whether the terms of service are accepted.</summary>
    public bool AcceptTermsOfService { get; init; }

    /// <summary>The folder of the store, absolute.</summary>
    public required string StoragePath { get; init; }

    /// <summary>The folder to export to, absolute.</summary>
    public string? ExportPath { get; init; }

    /// <summary>The permissions of exported files; <see langword="null"/> to keep those that they have.</summary>
    public UnixFileMode? ExportFileMode { get; init; }

    /// <summary>The group of exported files; <see langword="null"/> to keep the one that they have.</summary>
    public string? ExportGroup { get; init; }

    /// <summary>The challenge types, by preference, of names that come at run time.</summary>
    public EquatableArray<string> ChallengeTypes { get; init; } = ["http-01"];

    /// <summary>The key algorithms of names that come at run time.</summary>
    public EquatableArray<KeyAlgorithm> KeyAlgorithms { get; init; } = [KeyAlgorithm.EcdsaP256];

    /// <summary>Whether answers to challenges are fetched by ourselves first.</summary>
    public bool SelfCheck { get; init; } = true;

    /// <summary>Whether a public authority is ordered from although the store does not survive a restart.</summary>
    public bool AllowEphemeralStorage { get; init; }

    /// <summary>Whether this instance orders.</summary>
    public IssuanceMode Issuance { get; init; }

    /// <summary>What answers for a managed name that has no certificate.</summary>
    public MissingCertificate MissingCertificate { get; init; }

    /// <summary>How many orders are under way at once.</summary>
    public int MaxConcurrentOrders { get; init; } = 4;

    /// <summary>How many certificates are kept ready for handshakes.</summary>
    public int ContextCacheSize { get; init; } = 2000;

    /// <summary>For how many certificates sessions can be resumed under any load.</summary>
    public int SessionCacheCertificates { get; init; } = 256;

    /// <summary>The name whose certificate answers clients without SNI, in its normal form.</summary>
    public string? DefaultServerName { get; init; }

    /// <summary>Which certificate answers clients without SNI, by local address.</summary>
    public EquatableArray<LocalAddressName> LocalAddressNames { get; init; } = [];

    /// <summary>The DNS providers.</summary>
    public EquatableArray<DnsProviderSpecification> DnsProviders { get; init; } = [];

    /// <summary>The resolvers; empty for those of the system.</summary>
    public EquatableArray<IPEndPoint> DnsResolvers { get; init; } = [];

    /// <summary>Whether a renewal keeps the private key.</summary>
    public bool ReuseKeys { get; init; }
}
