namespace KestrelAcme.LocalAuthority.Revocation;

/// <summary>What is kept of revocations between starts.</summary>
internal sealed record RevocationFile
{
    public long CrlNumber { get; init; }

    public IReadOnlyList<RevokedCertificate> Revoked { get; init; } = [];
}
