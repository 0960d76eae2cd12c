
namespace KestrelAcme.Certificates.Model;

/// <summary>Why an order is due when it is.</summary>
internal enum RenewalReason
{
    /// <summary>There is no certificate, or not for these names.</summary>
    Missing,

    /// <summary>A fraction of the lifetime is left and the authority gave no advice.</summary>
    Lifetime,

    /// <summary>The authority advised it (RFC 9773).</summary>
    RenewalInfo,

    /// <summary>The certificate is revoked.</summary>
    Revoked,

    /// <summary>The last moment at which we renew, whatever the authority advises.</summary>
    Deadline,

    /// <summary>An order was begun and is not over.</summary>
    Unfinished,

    /// <summary>The certificate is abandoned.</summary>
    Abandoned,
}
