namespace KestrelAcme.Certificates;

/// <summary>How a managed certificate stands. Immutable; a later look may show another.</summary>
public sealed record CertificateStatus
{
    /// <summary>The certificate's id: the first name, with a mark for groups, wildcards and further key algorithms.</summary>
    public required string Id { get; init; }

    /// <summary>The names it is for: A-labels, <c>*.</c> first for a wildcard, or IP addresses.</summary>
    public required IReadOnlyList<string> DomainNames { get; init; }

    /// <summary>Where it stands.</summary>
    public required CertificateState State { get; init; }

    /// <summary>The serial number of the certificate that is served, in hexadecimal; <see langword="null"/> while there is none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>The distinguished name of its issuer.</summary>
    public string? Issuer { get; init; }

    /// <summary>When it began to be valid.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>When it ends.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>The directory of the authority that issued it.</summary>
    public Uri? DirectoryUrl { get; init; }

    /// <summary>When the next order is placed, as planned now; <see langword="null"/> when none is planned.</summary>
    public DateTimeOffset? NextOrder { get; init; }

    /// <summary>
    /// Until when a renewal that is due is held back, because other certificates for these names were obtained shortly before (a CA that asks for each one to be renewed at once would be asked without
    /// end); <see langword="null"/> when none is. <see cref="ICertificateManager.RenewAsync"/> renews all the same.
    /// </summary>
    public DateTimeOffset? HeldBackUntil { get; init; }

    /// <summary>Why the authority advises the time of the renewal (RFC 9773), where it says so.</summary>
    public Uri? RenewalExplanation { get; init; }

    /// <summary>Whether the certificate that is served is known to be revoked.</summary>
    public bool Revoked { get; init; }

    /// <summary>The failures since the last success; <see langword="null"/> when there were none.</summary>
    public CertificateFailure? Failure { get; init; }

    /// <summary>The order that is under way; <see langword="null"/> when there is none.</summary>
    public Uri? OrderUrl { get; init; }
}
