using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Hosting;

/// <summary>What <c>AddAcmeHttps</c> returns: the place to plug in stores, challenge handlers and listeners.</summary>
public interface IAcmeHttpsBuilder
{
    /// <summary>The application's services.</summary>
    IServiceCollection Services { get; }
}
