namespace KestrelAcme.FleetApp;

/// <summary>Registers the store that the environment names, as an app would with one line.</summary>
internal static class FleetStorage
{
    public static void Use(IAcmeHttpsBuilder builder, IConfiguration configuration)
    {
        var address = configuration["STORE_ADDRESS"] ?? "";
        switch (configuration["STORE"])
        {
            case "folder":
                // AcmeHttps:StoragePath names it.
                break;
            case "redis":
                builder.PersistToRedis(address);
                break;
            case "postgresql":
                builder.PersistToPostgreSql(address);
                break;
            case "azure-blob":
                builder.PersistToAzureBlob(address, "fleet");
                break;
            case var other:
                throw new InvalidOperationException($"STORE is '{other}' at '{address}': not a kind of store of this app.");
        }
    }
}
