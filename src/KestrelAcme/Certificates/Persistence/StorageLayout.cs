namespace KestrelAcme.Certificates.Persistence;

/// <summary>Where things are in the store.</summary>
internal static class StorageLayout
{
    public const string CertificatesPrefix = "certificates/";
    public const string StatesPrefix = "states/";

    public const string Pace = "pace/new-orders.json";

    public static string Certificate(string id) => $"{CertificatesPrefix}{id}.pem";

    public static string State(string id) => $"{StatesPrefix}{id}.json";

    public static string Account(string authority) => $"accounts/{authority}.pem";

    public static string OrderLease(string nameSet) => $"orders/{nameSet}";

    public static string AccountLease(string authority) => $"accounts/{authority}";
}
