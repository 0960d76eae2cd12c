using System.Net;
using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Configuration.Snapshot;

/// <summary>The validated settings of certificates on demand. Immutable, with value equality.</summary>
internal sealed record OnDemandSpecification
{
    /// <summary>The URL to ask; <see langword="null"/> if the app has a permission of its own.</summary>
    public Uri? AskUrl { get; init; }

    /// <summary>How long a connection waits.</summary>
    public required TimeSpan Wait { get; init; }

    /// <summary>The number of connections that wait at once.</summary>
    public required int MaxWaiting { get; init; }

    /// <summary>How many names may be new within an hour.</summary>
    public required int PerHour { get; init; }

    /// <summary>How many names may be new within a day.</summary>
    public required int PerDay { get; init; }

    /// <summary>How many names of a registered domain may be new within a week.</summary>
    public required int PerDomain { get; init; }

    /// <summary>How many names may be new within an hour because of one network.</summary>
    public required int PerNetwork { get; init; }

    /// <summary>Whether a new name must lead here.</summary>
    public bool CheckAddress { get; init; }

    /// <summary>The networks that lead here.</summary>
    public EquatableArray<IPNetwork> Addresses { get; init; } = [];

    /// <summary>After how long without a visitor a name is forgotten.</summary>
    public required TimeSpan ForgetAfter { get; init; }

    /// <summary>Whether denied names are served until their certificates expire.</summary>
    public bool KeepServingDenied { get; init; }

    /// <summary>Whether IP addresses can get a certificate.</summary>
    public bool AllowIpAddresses { get; init; }

    /// <summary>Whether certificates may contain wildcards.</summary>
    public bool AllowWildcards { get; init; }

    /// <summary>The wildcards whose certificates serve the names that they cover.</summary>
    public EquatableArray<CertificateIdentifier> SubjectMapping { get; init; } = [];
}
