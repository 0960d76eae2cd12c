using Azure.Core;
using Azure.Security.KeyVault.Secrets;
using Azure.Storage.Blobs;
using Microsoft.EntityFrameworkCore;
using Npgsql;

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
            case "ef-core":
                builder.Services.AddDbContext<FleetDbContext>(options => options.UseNpgsql(address));
                builder.PersistToDbContext<FleetDbContext>(
                    options => options.PollInterval = TimeSpan.FromSeconds(configuration.GetValue("STORE_POLL_SECONDS", 1)));
                break;
            case "azure-blob":
                builder.PersistToAzureBlob(address, "fleet");
                break;
            case "azure-key-vault":
                var options = new SecretClientOptions
                {
                    // The stub answers at an address, and asks for a token of Azure's vaults.
                    DisableChallengeResourceVerification = true,
                };
                builder.PersistToAzureKeyVault(
                    new SecretClient(new Uri(configuration["VAULT_URL"]!), new FixedToken(configuration["VAULT_TOKEN"]!), options),
                    new BlobContainerClient(address, "fleet"));
                break;
            case var other:
                throw new InvalidOperationException($"STORE is '{other}' at '{address}': not a kind of store of this app.");
        }
    }

    /// <summary>Creates the tables, as a migration of the app would. Another instance may do it at the same moment.</summary>
    public static void CreateTables(IServiceProvider services)
    {
        using var scope = services.CreateScope();
        if (scope.ServiceProvider.GetService<FleetDbContext>() is not { } context)
        {
            return;
        }

        try
        {
            // The store's own limits are short, for tests of outages, and a migration has no second try.
            var patient = new NpgsqlConnectionStringBuilder(context.Database.GetConnectionString()) { Timeout = 60, CommandTimeout = 60 };
            context.Database.SetConnectionString(patient.ConnectionString);
            context.Database.EnsureCreated();
        }
        catch (PostgresException exception)
            when (exception.SqlState is PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.UniqueViolation)
        {
            // The other instance did it.
        }
    }

    /// <summary>An identity without a service that issues its tokens.</summary>
    private sealed class FixedToken(string token) : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
            => new(token, TimeProvider.System.GetUtcNow().AddHours(1));

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
            => ValueTask.FromResult(GetToken(requestContext, cancellationToken));
    }

    /// <summary>The context of the app.</summary>
    private sealed class FleetDbContext(DbContextOptions<FleetDbContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddAcmeHttps();
    }
}
