namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>Which methods and signers a resource takes.</summary>
internal static class ResourceRules
{
    public static RequestSigner Signer(ResourceKind resource) => resource switch
    {
        ResourceKind.Directory or ResourceKind.NewNonce or ResourceKind.RenewalInformation
            or ResourceKind.RevocationList or ResourceKind.IssuerCertificate => RequestSigner.None,
        ResourceKind.NewAccount => RequestSigner.Key,
        ResourceKind.RevokeCertificate => RequestSigner.KeyOrAccount,
        _ => RequestSigner.Account,
    };

    /// <summary>A file that anything may fetch, not only ACME clients.</summary>
    public static bool IsFile(ResourceKind resource) => resource is ResourceKind.RevocationList or ResourceKind.IssuerCertificate;

    public static bool Allows(ResourceKind resource, string method) =>
        Signer(resource) == RequestSigner.None ? method is "GET" or "HEAD" : method == "POST";

    public static string AllowedMethods(ResourceKind resource) => Signer(resource) == RequestSigner.None ? "GET, HEAD" : "POST";
}
