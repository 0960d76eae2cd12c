
namespace KestrelAcme.Certificates.Model;

/// <summary>Whether a certificate is revoked, and what follows.</summary>
internal enum RevocationState
{
    /// <summary>It is not, as far as we know.</summary>
    None,

    /// <summary>It is, and must be replaced at once.</summary>
    Replace,

    /// <summary>We revoked it on purpose: it is renewed when its time comes, and advice about it is not followed.</summary>
    OnPurpose,
}
