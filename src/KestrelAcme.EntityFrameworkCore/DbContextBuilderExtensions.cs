using KestrelAcme.Configuration;
using KestrelAcme.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

// The namespace where apps look for extension methods of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps accounts, certificates and their states in a database of the app, shared by all instances that use it.</summary>
public static class DbContextBuilderExtensions
{
    /// <summary>
    /// Keeps everything in the database of a context, in the table that
    /// <see cref="AcmeHttpsModelBuilderExtensions.AddAcmeHttps"/> adds to its model. Any relational database will do.
    /// </summary>
    /// <typeparam name="TContext">
    /// The context, registered with <c>AddDbContext</c>, <c>AddDbContextPool</c> or <c>AddDbContextFactory</c>. Each operation uses one of
    /// its own.
    /// </typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options, such as how often changes by other instances are looked for.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder PersistToDbContext<TContext>(
        this IAcmeHttpsBuilder builder, Action<DbContextStorageOptions>? configure = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = new DbContextStorageOptions();
        configure?.Invoke(options);
        var setup = new DbContextSetup<TContext>(options);
        builder.Services.Replace(ServiceDescriptor.Singleton<IDbContextSetup>(setup));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<AcmeHttpsOptions>, DbContextValidator>());
        return builder.UseStorage(setup.CreateStorage);
    }
}
