namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>A path taken apart: which resource, and the ids in it.</summary>
internal sealed record Route(ResourceKind Resource, string Id = "", string SubId = "")
{
    public static Route Parse(string path)
    {
        var parts = path.Split('/', StringSplitOptions.None);
        return parts switch
        {
            ["", "directory"] => new Route(ResourceKind.Directory),
            ["", "new-nonce"] => new Route(ResourceKind.NewNonce),
            ["", "new-account"] => new Route(ResourceKind.NewAccount),
            ["", "new-order"] => new Route(ResourceKind.NewOrder),
            ["", "revoke-cert"] => new Route(ResourceKind.RevokeCertificate),
            ["", "key-change"] => new Route(ResourceKind.KeyChange),
            ["", "account", var id] => new Route(ResourceKind.Account, id),
            ["", "account", var id, "orders"] => new Route(ResourceKind.OrdersList, id),
            ["", "order", var id] => new Route(ResourceKind.Order, id),
            ["", "order", var id, "finalize"] => new Route(ResourceKind.Finalize, id),
            ["", "authorization", var id] => new Route(ResourceKind.Authorization, id),
            ["", "challenge", var id, var challenge] => new Route(ResourceKind.Challenge, id, challenge),
            ["", "certificate", var id] => new Route(ResourceKind.Certificate, id),
            ["", "certificate", var id, var number] => new Route(ResourceKind.Certificate, id, number),
            ["", "renewal-info", var id] => new Route(ResourceKind.RenewalInformation, id),
            ["", "crl", var id] => new Route(ResourceKind.RevocationList, id),
            ["", "issuer", var id] => new Route(ResourceKind.IssuerCertificate, id),
            _ => new Route(ResourceKind.Unknown),
        };
    }
}
