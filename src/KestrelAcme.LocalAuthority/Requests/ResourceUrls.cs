namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>The URLs of resources. The base is the one that the client used.</summary>
internal sealed record ResourceUrls(string Base)
{
    public string Directory => Base + "/directory";

    public string NewNonce => Base + "/new-nonce";

    public string NewAccount => Base + "/new-account";

    public string NewOrder => Base + "/new-order";

    public string RevokeCertificate => Base + "/revoke-cert";

    public string KeyChange => Base + "/key-change";

    public string RenewalInformation => Base + "/renewal-info";

    public string Account(string id) => $"{Base}/account/{id}";

    public string OrdersList(string accountId) => $"{Base}/account/{accountId}/orders";

    public string Order(string id) => $"{Base}/order/{id}";

    public string Finalize(string orderId) => $"{Base}/order/{orderId}/finalize";

    public string Authorization(string id) => $"{Base}/authorization/{id}";

    public string Challenge(string authorizationId, string id) => $"{Base}/challenge/{authorizationId}/{id}";

    public string Certificate(string id) => $"{Base}/certificate/{id}";

    public string AlternateCertificate(string id, int number) => $"{Base}/certificate/{id}/{number}";
}
