
namespace KestrelAcme.Certificates.Model;

/// <summary>What is to be done for a certificate.</summary>
internal enum CertificateAction
{
    /// <summary>Order the certificate, or its successor.</summary>
    Order,

    /// <summary>Ask the authority when to renew (RFC 9773).</summary>
    PollRenewalInfo,

    /// <summary>Look whether the names of an abandoned certificate lead here again.</summary>
    LookForNames,

    /// <summary>Look whether DNS shows what a person had to repair.</summary>
    LookAtRecords,
}
